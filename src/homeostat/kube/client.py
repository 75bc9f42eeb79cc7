"""The Kubernetes client: typed verbs over a replaceable transport.

A `Kind` says where objects live and what they are decoded into, so every verb is typed without a registry. See
`reading`, `writing` and `subresources` for the verbs, `retrying` for what is tried again, `errors` for what is raised.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from msgspec import Struct

from homeostat.kit.clock import Clock
from homeostat.kit.random import Random
from homeostat.kube.calling import JSON, decode
from homeostat.kube.exchange import Call, Exchange
from homeostat.kube.limiting import RateLimit
from homeostat.kube.observing import Observer, ignore
from homeostat.kube.reading import ListOf, ObjectList, Reader
from homeostat.kube.retrying import Retries
from homeostat.kube.subresources import Scale, Subresources, Token
from homeostat.kube.transport import Request, Transport
from homeostat.kube.watching import WatchEvent
from homeostat.kube.writing import Writer

__all__ = ["Client", "ListOf", "ObjectList", "Scale", "ServerVersion", "Token", "WatchEvent"]


class ServerVersion(Struct, frozen=True, rename="camel"):
    """What /version tells."""

    git_version: str
    major: str = ""
    minor: str = ""
    platform: str = ""
    emulation_major: str = ""  # of the older minor version that it behaves as, or its own; older servers do not tell
    emulation_minor: str = ""


class Client(Reader, Writer, Subresources):
    """Talks to one API server as one user. Close it, or use it as an async context manager."""

    def __init__(
        self,
        transport: Transport,
        *,
        clock: Clock,
        random: Random,
        field_manager: str = "homeostat",
        default_timeout_s: float = 30.0,
        retries: Retries = Retries(),  # noqa: B008  (a frozen value)
        observer: Observer = ignore,
        limit: RateLimit | None = None,
        cluster: str = "",
    ) -> None:
        """`cluster` is what metrics and logs call the server; where a process knows only one, it needs no name."""
        self.cluster = cluster
        exchange = Exchange(transport, clock=clock, random=random, retries=retries, observer=observer, limit=limit)
        super().__init__(exchange, field_manager=field_manager, default_timeout_s=default_timeout_s)

    @property
    def clock(self) -> Clock:
        """The clock that this client keeps time by."""
        return self._exchange.clock

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        timeout_s: float | None = None,
        retries: Retries | None = None,
    ) -> bytes:
        """Any path that is no typed object, such as /readyz or /openapi/v3: the body as bytes. Raises as all verbs."""
        request = Request(
            method=method,
            path=path,
            query=tuple(query),
            headers={"Accept": JSON, **(headers or {})},
            body=body,
            timeout_s=self._timeout_s if timeout_s is None else timeout_s,
        )
        idempotent = method in ("GET", "HEAD", "OPTIONS")
        call = Call(
            verb=method.lower(),
            resource="",
            doing=f"{method} {path}",
            request=request,
            idempotent=idempotent,
            retries=retries,
        )
        return await self._exchange.send(call)

    async def version(self) -> ServerVersion:
        """The API server's version."""
        return decode(ServerVersion, await self.request("GET", "/version"), "GET /version")

    async def close(self) -> None:
        """Close all connections; calls in flight fail."""
        await self._exchange.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
