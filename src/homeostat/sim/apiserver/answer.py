"""What goes back to a client: a code, a type and bytes, whole or as they come."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

import msgspec
from msgspec import Struct

from homeostat.sim.apiserver.refusing import NoPage, Refused

JSON = "application/json"
_encode = msgspec.json.Encoder().encode


class Answer(Struct, frozen=True):
    """`stream` takes the place of `body` where the answer has no end of its own."""

    code: int
    body: bytes = b""
    media: str = JSON
    headers: Mapping[str, str] = {}
    stream: AsyncIterator[bytes] | None = None


def told(value: object, code: int = 200) -> Answer:
    """A value as JSON."""
    return Answer(code, _encode(value))


def refused(error: Refused) -> Answer:
    """The Status of a refusal."""
    if isinstance(error, NoPage):
        return Answer(error.code, f"{error.message}\n".encode(), "text/plain; charset=utf-8")
    headers = {} if error.retry_after_s is None else {"Retry-After": str(error.retry_after_s)}
    return Answer(error.code, _encode(error.status()), headers=headers)
