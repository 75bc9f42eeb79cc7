"""How to reach an API server, and as whom: one frozen value, whatever it was read from.

Secrets are wrapped in `Secret`, which shows nothing of itself, so that no repr, log line or traceback of a Config tells
one. `config` makes these values from files and surroundings.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from msgspec import Struct


class ConfigError(Exception):
    """A configuration that cannot be used; the message says which file and field, and what to do."""


class NoKubeconfig(ConfigError):
    """There is no kubeconfig in any of the places to look at."""


class Secret(Struct, frozen=True):
    """A value that does not show itself."""

    value: str | bytes = ""

    def __repr__(self) -> str:
        return "Secret(<hidden>)" if self.value else "Secret(<empty>)"

    __str__ = __repr__

    def __bool__(self) -> bool:
        return bool(self.value)

    @property
    def text(self) -> str:
        """The value as text."""
        return self.value if isinstance(self.value, str) else self.value.decode()

    @property
    def data(self) -> bytes:
        """The value as bytes."""
        return self.value if isinstance(self.value, bytes) else self.value.encode()


class Anonymous(Struct, frozen=True):
    """No credential beside a client certificate, if there is one."""


class StaticToken(Struct, frozen=True):
    """A bearer token that does not change."""

    token: Secret


class TokenFile(Struct, frozen=True):
    """A bearer token that something else rotates in a file."""

    path: str


class Password(Struct, frozen=True):
    """HTTP basic authentication, which only old servers and proxies take."""

    username: str
    password: Secret


class ExecPlugin(Struct, frozen=True, kw_only=True):
    """A command that prints an ExecCredential."""

    command: str
    args: tuple[str, ...] = ()
    env: tuple[tuple[str, Secret], ...] = ()
    api_version: str = "client.authentication.k8s.io/v1"
    install_hint: str = ""
    provide_cluster_info: bool = False
    interactive: bool = False  # interactiveMode: Always


Credential = Anonymous | StaticToken | TokenFile | Password | ExecPlugin


class Impersonation(Struct, frozen=True, kw_only=True):
    """Act as somebody else, where RBAC allows it."""

    user: str = ""
    uid: str = ""
    groups: tuple[str, ...] = ()


class Config(Struct, frozen=True, kw_only=True):
    """One API server and one user of it."""

    server: str  # https://host:port, with a path when it stands behind one
    ca: bytes = b""  # PEM; empty takes the machine's own trust store
    client_certificate: bytes = b""  # PEM chain
    client_key: Secret = Secret()
    credential: Credential = Anonymous()
    impersonation: Impersonation = Impersonation()
    proxy: Secret = Secret()  # a proxy's URL may hold a password
    tls_server_name: str = ""  # the name to verify instead of the address's own
    insecure: bool = False
    compression: bool = False  # answers in gzip: saves network, costs several times the CPU of decoding them
    namespace: str = "default"
    context: str = ""  # where it was read from, for messages

    def __post_init__(self) -> None:
        parts = urlsplit(self.server)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigError(f"server: expected https://host:port, found {_without_user(self.server)!r}")
        if parts.username or parts.password:
            raise ConfigError(f"server: expected no user or password in {_without_user(self.server)!r}; use a token")
        if bool(self.client_certificate) != bool(self.client_key):
            raise ConfigError("client certificate and key: expected both or none, found only one of them")
        if self.insecure and self.ca:
            raise ConfigError("insecure-skip-tls-verify: expected no certificate authority beside it, found both")

    def __repr__(self) -> str:
        return f"Config({self.server}, context={self.context!r}, credential={type(self.credential).__name__})"


def _without_user(url: str) -> str:
    head, separator, rest = url.partition("://")
    return f"{head}{separator}{rest.rpartition('@')[2]}"
