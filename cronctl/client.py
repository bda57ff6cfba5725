"""The REST API as the commands use it: JSON in, JSON out, failures as errors.

Only transport: which path means what stands with the commands.
"""

from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, Final, Self

import httpx2

from cronctl.contexts import Connection
from cronctl.failures import Unreachable, error_of

Json = dict[str, Any]
_PAGE_SIZE: Final = 500
_TIMEOUT_S: Final = 15.0


class Api:
    """One connection to one installation; a context manager."""

    def __init__(
        self,
        connection: Connection,
        transport: httpx2.BaseTransport | None = None,
        *,
        timeout_s: float = _TIMEOUT_S,
    ) -> None:
        headers = {"Accept": "application/json"}
        if connection.token:
            headers["Authorization"] = f"Bearer {connection.token}"
        self._connection = connection
        self._timeout_s = timeout_s
        self._client = httpx2.Client(
            base_url=f"{connection.api}/api/v1", headers=headers, timeout=timeout_s, transport=transport
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    @property
    def origin(self) -> str:
        """Where the address was found, for messages."""
        return f"{self._connection.api} ({self._connection.origin})"

    @property
    def address(self) -> str:
        """Of the installation, without the path of the API."""
        return self._connection.api

    def get(self, path: str, **params: object) -> Json:
        """The JSON at *path*; parameters that are None are left out."""
        return self.request("GET", path, params=params).body

    def post(
        self,
        path: str,
        body: Json | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        **params: object,
    ) -> Json:
        return self.request("POST", path, params=params, body=body or {}, headers=headers).body

    def delete(self, path: str, **params: object) -> Json:
        return self.request("DELETE", path, params=params).body

    def pages(self, path: str, *, limit: int | None = None, **params: object) -> Iterator[Json]:
        """The items of a list, page after page, at most *limit* of them."""
        token: str | None = None
        left = limit
        while left is None or left > 0:
            size = _PAGE_SIZE if left is None else min(left, _PAGE_SIZE)
            page = self.get(path, **params, page_size=size, page_token=token)
            # Short lists (workers) come whole, whatever size was asked for.
            yield from page["items"][:left]
            token = page.get("next_page_token")
            left = None if left is None else left - len(page["items"])
            if not token:
                return

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, object],
        body: Json | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> "Answer":
        """
        Send one request.

        Raises:
            Unreachable: Nothing answered.
            CronError: The API refused; the class says why (see `failures.error_of`).
        """
        given = _given(params)
        try:
            response = self._client.request(
                method, path, params=given, json=body, headers=dict(headers or {})
            )
        except httpx2.TimeoutException as error:
            raise Unreachable(f"{self.origin} did not answer within {self._timeout_s:.0f} s") from error
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise Unreachable(f"cannot reach {self.origin}: {error}") from error
        if response.is_error:
            raise error_of(response)
        return Answer(_json(response), response.headers.get("etag"))

    def stream(
        self, path: str, last_event_id: str | None, silence_s: float, namespace: str | None
    ) -> Iterator[str]:
        """
        The lines of an event stream, until it ends.

        Raises:
            Unreachable: Nothing answered, the connection broke, or nothing came for *silence_s*.
            CronError: The API refused.
        """
        headers = {"Accept": "text/event-stream"}
        if last_event_id:
            headers["Last-Event-ID"] = last_event_id
        timeout = httpx2.Timeout(self._timeout_s, read=silence_s)
        params = _given({"namespace": namespace})
        try:
            with self._client.stream(
                "GET", path, headers=headers, params=params, timeout=timeout
            ) as response:
                if response.is_error:
                    response.read()
                    raise error_of(response)
                yield from response.iter_lines()
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise Unreachable(f"the stream from {self.origin} broke: {error}") from error


class Answer:
    """A successful answer: its JSON (empty for 204) and its version."""

    def __init__(self, body: Json, etag: str | None) -> None:
        self.body = body
        self.etag = etag


def _given(params: Mapping[str, object]) -> dict[str, str | list[str]]:
    """What a query says: nothing for None, one entry per item of a list."""
    return {
        name: [_text(item) for item in value] if isinstance(value, list) else _text(value)
        for name, value in params.items()
        if value is not None
    }


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _json(response: httpx2.Response) -> Json:
    if not response.content:
        return {}
    try:
        document = response.json()
    except ValueError as error:
        raise Unreachable(
            f"{response.request.url} answered something that is not JSON: is it an everytick API?"
        ) from error
    return document if isinstance(document, dict) else {"items": document}
