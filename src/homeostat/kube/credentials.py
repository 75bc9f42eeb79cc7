"""Bearer tokens and certificates that may change while we run: files that are rotated, and exec plugins.

`Credentials.current` is asked before every request and answers from memory nearly always. `forget` is called on a 401;
it says whether asking again can help, so that a wrong static token is not sent twice.
"""

from __future__ import annotations

import asyncio
import base64
from datetime import datetime
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from homeostat.kit.clock import Clock
from homeostat.kube.errors import BadCredentials
from homeostat.kube.plugins import run_plugin
from homeostat.kube.target import Config, ExecPlugin, Password, Secret, StaticToken, TokenFile

# client-go re-reads token files once a minute; the kubelet rotates them with a fifth of their life left.
TOKEN_FILE_PERIOD_S = 60.0
# A token that expires while its request travels is refused; the 401 path would mend it at the price of one more try.
EXPIRY_MARGIN_S = 5.0


class Identity(Struct, frozen=True):
    """What one request carries to say who we are."""

    authorization: Secret = Secret()  # the whole header
    certificate: bytes = b""
    key: Secret = Secret()


class Credentials(Protocol):
    """A source of identities."""

    async def current(self) -> Identity:
        """The identity to use now. Raises BadCredentials."""
        ...

    def forget(self, refused: Identity) -> bool:
        """Note that the server refused an identity; True when a newer one may be had."""
        ...


def credentials_of(config: Config, clock: Clock) -> Credentials:
    """The source that a configuration names."""
    match config.credential:
        case TokenFile(path=path):
            return _FromFile(Path(path), clock)
        case ExecPlugin() as plugin:
            return _FromPlugin(plugin, config, clock)
        case StaticToken(token=token):
            return _Fixed(_bearer(token.text))
        case Password(username=username, password=password):
            pair = base64.b64encode(f"{username}:{password.text}".encode()).decode()
            return _Fixed(Identity(Secret(f"Basic {pair}")))
        case _:
            return _Fixed(Identity())


class _Fixed:
    def __init__(self, identity: Identity) -> None:
        self._identity = identity

    async def current(self) -> Identity:
        return self._identity

    def forget(self, refused: Identity) -> bool:  # noqa: ARG002  (there is no other)
        return False


class _FromFile:
    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._identity: Identity | None = None
        self._read_at = 0.0

    async def current(self) -> Identity:
        now = self._clock.monotonic()
        if self._identity is None or now - self._read_at >= TOKEN_FILE_PERIOD_S:
            self._identity = self._read(self._identity)
            self._read_at = now
        return self._identity

    def _read(self, former: Identity | None) -> Identity:
        try:
            token = self._path.read_text().strip()
        except OSError as error:
            if former is not None:  # in the middle of a rotation; the old token is the best there is
                return former
            raise BadCredentials(f"token file {self._path}: cannot be read: {error.strerror}") from error
        if token:
            return _bearer(token)
        if former is not None:
            return former
        raise BadCredentials(f"token file {self._path}: expected a token, found an empty file")

    def forget(self, refused: Identity) -> bool:
        """Worth another try only when the file holds another token than the refused one."""
        newest = self._read(refused)
        self._identity, self._read_at = newest, self._clock.monotonic()
        return newest != refused


class _FromPlugin:
    def __init__(self, plugin: ExecPlugin, config: Config, clock: Clock) -> None:
        self._plugin = plugin
        self._config = config
        self._clock = clock
        self._identity: Identity | None = None
        self._expires: datetime | None = None
        self._lock = asyncio.Lock()  # many requests, one plugin process

    async def current(self) -> Identity:
        async with self._lock:
            if self._identity is None or self._is_stale():
                answer = await run_plugin(self._plugin, self._config, self._clock)
                authorization = Secret(f"Bearer {answer.token}") if answer.token else Secret()
                certificate = answer.client_certificate_data.encode()
                self._identity = Identity(authorization, certificate, Secret(answer.client_key_data.encode()))
                self._expires = answer.expiration_timestamp
            return self._identity

    def _is_stale(self) -> bool:
        return self._expires is not None and (self._expires - self._clock.now()).total_seconds() <= EXPIRY_MARGIN_S

    def forget(self, refused: Identity) -> bool:
        if self._identity == refused:  # otherwise another request renewed it already
            self._identity = None
        return True


def _bearer(token: str) -> Identity:
    return Identity(Secret(f"Bearer {token}"))
