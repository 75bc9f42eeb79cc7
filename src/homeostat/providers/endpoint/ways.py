"""What a kubeconfig leads to, read once: where the API server is, and a TLS context that trusts and shows what it says.

Reading one costs a third of what a probe does. A context holds the same key as the kubeconfig, which the operator has
in its caches for as long as there is the Cluster; it is let go with it (`forget`), and when it was not used for some
minutes: then the kubeconfig was renewed, or somebody else probes. The key of a way is a digest of the content, so that
what was renewed or tampered with is never taken for what it was.
"""

from __future__ import annotations

import hashlib
import ssl
from datetime import timedelta

from msgspec import Struct

from homeostat.kit.clock import Clock
from homeostat.kit.pki.authority import Damaged
from homeostat.kube.target import Config, ConfigError
from homeostat.kube.tls import context_of
from homeostat.operators.cluster.pki.kubeconfig import read_kubeconfig

UNUSED_FOR = timedelta(minutes=5)
MOST = 10_000


class Way(Struct):
    """How one API server is reached as its administrator."""

    server: str
    context: ssl.SSLContext
    used_s: float


class Ways:
    """Those that were used lately, the longest unused one first."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._kept: dict[bytes, Way] = {}

    def __len__(self) -> int:
        """How many are kept."""
        return len(self._kept)

    def of(self, kubeconfig: bytes) -> Way:
        """The way that a kubeconfig describes. Raises Damaged."""
        digest = _digest(kubeconfig)
        way = self._kept.pop(digest, None) or _read(kubeconfig)
        way.used_s = self._clock.monotonic()
        self._kept[digest] = way
        self._let_go(way.used_s)
        return way

    def forget(self, kubeconfig: bytes) -> None:
        """Keep nothing of it."""
        self._kept.pop(_digest(kubeconfig), None)

    def _let_go(self, now_s: float) -> None:
        while self._kept:
            digest, oldest = next(iter(self._kept.items()))
            if len(self._kept) <= MOST and now_s - oldest.used_s <= UNUSED_FOR.total_seconds():
                return
            del self._kept[digest]


def _read(kubeconfig: bytes) -> Way:
    config: Config = read_kubeconfig(kubeconfig)
    try:
        return Way(config.server, context_of(config), 0.0)
    except ConfigError as error:
        raise Damaged(f"a kubeconfig that cannot be used: {error}") from error


def _digest(kubeconfig: bytes) -> bytes:
    return hashlib.sha256(kubeconfig).digest()
