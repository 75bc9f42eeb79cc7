"""The port below the client: one HTTP request in, one response out, as bytes.

The client encodes, decodes, retries and keeps time above this line; below it there are only connections and
credentials. A simulator implements `Transport` in memory and gets the whole client for its tests.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Protocol

from msgspec import Struct


class Request(Struct, frozen=True, kw_only=True):
    """One HTTP request to the API server; `path` is absolute and already escaped, `query` is not."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = {}
    body: bytes | None = None
    # The client enforces both; they travel here so that a transport can show or sharpen them.
    timeout_s: float | None = None  # for the whole exchange; None for streams
    idle_timeout_s: float | None = None  # between two chunks of a stream

    def __repr__(self) -> str:
        size = 0 if self.body is None else len(self.body)
        return f"Request({self.method} {self.path}, {size} bytes)"


class Response(Protocol):
    """An answer whose head has arrived."""

    @property
    def status(self) -> int:
        """The HTTP status code."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers, looked up without regard to case."""
        ...

    async def read(self) -> bytes:
        """The rest of the body. Raises ConnectionFailed when the connection breaks before its end."""
        ...

    def chunks(self) -> AsyncIterator[bytes]:
        """The body as it arrives, in pieces of any size. Raises ConnectionFailed as `read` does."""
        ...

    async def close(self) -> None:
        """Give the connection up, or back to the pool when the body was read to its end. May be called twice."""
        ...


class Transport(Protocol):
    """Carries requests to one API server, with its credentials."""

    async def send(self, request: Request) -> Response:
        """Send and wait for the head of the answer. Raises ConnectionFailed when there is none."""
        ...

    async def close(self) -> None:
        """Close all connections. May be called twice."""
        ...
