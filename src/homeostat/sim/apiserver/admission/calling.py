"""The way to webhooks: a port, so that a simulated network carries reviews, or a real one does."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

from homeostat.sim.apiserver.refusing import not_imitated


class Call(Struct, frozen=True, kw_only=True):
    """One POST of JSON over HTTPS."""

    host: str  # whom TLS must prove
    port: int
    path: str
    body: bytes
    authorities: bytes = b""  # PEM; empty: whoever is trusted here anyway
    service: tuple[str, str] | None = None  # namespace and name of the Service behind the host

    @property
    def url(self) -> str:
        """As errors name it."""
        port = "" if self.port == 443 and self.service is None else f":{self.port}"
        return f"https://{self.host}{port}{self.path}"


class Heard(Struct, frozen=True):
    """What came back."""

    code: int
    body: bytes
    media: str = "application/json"


class NotReached(Exception):
    """Nobody has answered; the message is why, in the words of a Go program's `net` where there are such."""


class Caller(Protocol):
    """Makes calls. Who calls sets the time, and cancels."""

    async def call(self, call: Call) -> Heard:
        """Say it once. Raises NotReached."""
        ...


class NoNetwork:
    """A server without a network to anybody."""

    async def call(self, call: Call) -> Heard:  # noqa: ARG002
        """Say that there is no way."""
        raise not_imitated("webhooks of a server that was given no way to call them")
