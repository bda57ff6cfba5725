"""Page tokens: where the next page begins, bound to the query it continues.

Pure. A token is base64url JSON of a short digest of the query and the sort key of the last row shown. It is
no secret and grants nothing; the digest only makes sure that a page is continued with the filters it began
with.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

from common.domain.errors import InvalidPageToken

KeyPart: TypeAlias = str | int | float
_MAX_LENGTH: Final = 1024
_DIGEST_CHARS: Final = 16


def encode_page_token(query: Mapping[str, object], last_key: Sequence[KeyPart]) -> str:
    """The token that continues *query* behind the row whose sort key is *last_key*."""
    text = json.dumps({"q": _digest(query), "k": list(last_key)}, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def decode_page_token(query: Mapping[str, object], token: str, kinds: Sequence[type]) -> tuple[KeyPart, ...]:
    """
    The sort key inside *token*.

    Args:
        query: The filters and the order of this request, without page size and token.
        kinds: The type of each part of the key.

    Raises:
        InvalidPageToken: *token* was not made by `encode_page_token`, or for another query.
    """
    parts = _parts(token)
    if parts.get("q") != _digest(query):
        raise InvalidPageToken(
            "the page token belongs to another query: send it with the same filters and order, "
            "or start again without it",
            field="page_token",
        )
    key = parts.get("k")
    if not isinstance(key, list) or len(key) != len(kinds) or not all(map(_fits, key, kinds)):
        raise _not_ours()
    return tuple(key)


def _parts(token: str) -> dict[str, object]:
    if len(token) > _MAX_LENGTH:
        raise _not_ours()
    try:
        text = base64.urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
        parts = json.loads(text)
    except (ValueError, binascii.Error, RecursionError) as error:
        raise _not_ours() from error
    if not isinstance(parts, dict):
        raise _not_ours()
    return parts


def _fits(part: object, kind: type) -> bool:
    if isinstance(part, bool):
        return False
    return isinstance(part, (int, float)) if kind is float else isinstance(part, kind)


def _not_ours() -> InvalidPageToken:
    return InvalidPageToken(
        "the page token was not made by this API: use next_page_token of the page before", field="page_token"
    )


def _digest(query: Mapping[str, object]) -> str:
    text = json.dumps(query, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_CHARS]
