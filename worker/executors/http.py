"""Executor `http`: one request, whose answer is the output and whose status decides.

The worker stands inside a network its users may not be in, so the target is resolved once, an address that
is not public is refused unless the worker's configuration allows it, and the connection goes to the address
that was checked. No redirects, no proxies, 10 s, 1 MiB of the answer.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import httpx2

from common.domain.errors import SpawnFailed
from common.domain.job import HttpRequest, SecretValue
from common.domain.records import Stream
from worker.executors.coroutine import CoroutineProcess, Emit
from worker.executors.interface import StartRequest
from worker.processes import Process

REQUEST_S: Final = 10.0
MAX_ANSWER_BYTES: Final = 1024 * 1024
#: Addresses of cloud metadata services that the ranges below do not cover.
_METADATA: Final = frozenset({"100.100.100.200", "fd00:ec2::254", "192.0.0.192"})

_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class _Target:
    """A URL with the address it was resolved to."""

    url: httpx2.URL
    host: str
    host_header: str


class HttpExecutor:
    name = "http"

    def __init__(self, *, allowed_networks: Iterable[str] = ()) -> None:
        """*allowed_networks* are the networks that may be reached although they are not public."""
        self._allowed = tuple(ipaddress.ip_network(network) for network in allowed_networks)

    async def start(self, request: StartRequest) -> Process:
        wanted = request.assignment.spec.request
        if wanted is None:
            raise SpawnFailed("the job has no request; give it one, or another executor")
        target = await self._resolve(wanted.url)

        async def body(emit: Emit) -> int:
            return await _perform(wanted, target, emit)

        return CoroutineProcess(f"http {request.assignment.execution}", body, request.listener)

    async def _resolve(self, text: str) -> _Target:
        try:
            url = httpx2.URL(text)
        except httpx2.InvalidURL as error:
            raise SpawnFailed(f"{text!r} is not a URL: {error}") from error
        if url.scheme not in ("http", "https") or not url.host:
            raise SpawnFailed(f"{text!r} cannot be requested; only http and https URLs with a host can")
        host = url.host
        port = url.port or (443 if url.scheme == "https" else 80)
        addresses = await _addresses_of(host, port)
        for address in addresses:
            # All of them: the one that is connected to must not depend on the order of an answer.
            if not any(_unwrapped(address) in network for network in self._allowed):
                _refuse_private(host, address)
        return _Target(
            url=url.copy_with(host=str(addresses[0])),
            host=host,
            host_header=url.netloc.decode("ascii"),
        )


async def _addresses_of(host: str, port: int) -> list[Address]:
    try:
        async with asyncio.timeout(REQUEST_S):
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except TimeoutError:
        raise SpawnFailed(f"the name {host!r} was not resolved in {REQUEST_S:.0f} s; check DNS") from None
    except (OSError, UnicodeError) as error:
        raise SpawnFailed(f"the name {host!r} cannot be resolved: {error}; check the URL and DNS") from error
    return [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]


def _unwrapped(address: Address) -> Address:
    """The IPv4 address that *address* leads to, if it is one in IPv6 clothes (mapped, 6to4, NAT64)."""
    if not isinstance(address, ipaddress.IPv6Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _refuse_private(host: str, address: Address) -> None:
    """
    Raises:
        SpawnFailed: *address* is not public; names the rule.
    """
    inner = _unwrapped(address)
    rules = (
        ("a metadata service", str(inner) in _METADATA or str(inner) == "169.254.169.254"),
        ("loopback", inner.is_loopback),
        ("link-local", inner.is_link_local),
        ("unspecified", inner.is_unspecified),
        ("multicast", inner.is_multicast),
        ("private", inner.is_private),
        ("not public", not inner.is_global),
    )
    for rule, applies in rules:
        if applies:
            raise SpawnFailed(
                f"{host!r} is {address}, an address of the kind {rule!r}, which http jobs may not reach; "
                "use a public address, or add its network to httpAllowedNetworks of the worker"
            )


async def _perform(wanted: HttpRequest, target: _Target, emit: Emit) -> int:
    headers = {
        name: value.value if isinstance(value, SecretValue) else value
        for name, value in wanted.headers.items()
    }
    headers["Host"] = target.host_header
    try:
        async with asyncio.timeout(REQUEST_S):
            # The environment may name proxies, and they would be asked for addresses nobody checked.
            async with (
                httpx2.AsyncClient(trust_env=False, follow_redirects=False, timeout=REQUEST_S) as client,
                client.stream(
                    wanted.method,
                    target.url,
                    headers=headers,
                    content=wanted.body.encode() if wanted.body is not None else None,
                    extensions={"sni_hostname": target.host},
                ) as answer,
            ):
                return await _report(wanted, answer, emit)
    except TimeoutError:
        emit(Stream.STDERR, f"no complete answer within {REQUEST_S:.0f} s\n".encode())
    except httpx2.HTTPError as error:
        text = str(error) or type(error).__name__
        emit(Stream.STDERR, f"the request failed: {text}\n".encode("utf-8", "replace"))
    return 1


async def _report(wanted: HttpRequest, answer: httpx2.Response, emit: Emit) -> int:
    emit(Stream.STDERR, f"HTTP {answer.status_code} {answer.reason_phrase}\n".encode("utf-8", "replace"))
    left = MAX_ANSWER_BYTES
    async for data in answer.aiter_bytes():
        emit(Stream.STDOUT, data[:left])
        left -= len(data)
        if left <= 0:
            emit(Stream.STDERR, f"the answer is longer than {MAX_ANSWER_BYTES} bytes and was cut\n".encode())
            break
    if wanted.expected_status:
        is_expected = answer.status_code in wanted.expected_status
    else:
        is_expected = 200 <= answer.status_code <= 299
    return 0 if is_expected else 1
