"""What a kubeconfig leads to, read once: where the API server is, and how connections to it are made.

Connections are brief ones over TLS, by a context that trusts and shows what the kubeconfig says; whoever wires a
process may have them made in another way (`Reach`), as a simulated world does, which has no sockets.

Reading one costs a third of what a probe does. A context holds the same key as the kubeconfig, which the operator has
in its caches for as long as there is the Cluster; it is let go with it (`forget`), and when it was not used for some
minutes: then the kubeconfig was renewed, or somebody else probes. The key of a way is a digest of the content, so that
what was renewed or tampered with is never taken for what it was.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta

from msgspec import Struct

from homeostat.kit.clock import Clock
from homeostat.kit.pki.authority import Damaged
from homeostat.kube.brief import BriefTransport
from homeostat.kube.target import Config, ConfigError
from homeostat.kube.tls import context_of
from homeostat.kube.transport import Transport
from homeostat.operators.cluster.pki.kubeconfig import read_kubeconfig

UNUSED_FOR = timedelta(minutes=5)
MOST = 10_000

Dial = Callable[[str, str], Transport]
"""From a URL, and the name that the server must prove (empty: the URL's own), to a connection that is not open yet."""
Reach = Callable[[Config], Dial]
"""From a configuration to who dials as it says. Raises ConfigError when nobody could."""


def over_tls(config: Config) -> Dial:
    """Dial with sockets; the context is made once."""
    context = context_of(config)

    def dial(url: str, server_name: str) -> Transport:
        return BriefTransport(url, context, server_name=server_name)

    return dial


class Way(Struct):
    """How one API server is reached as its administrator."""

    server: str
    dial: Dial
    used_s: float


class Ways:
    """Those that were used lately, the longest unused one first."""

    def __init__(self, *, clock: Clock, reach: Reach = over_tls) -> None:
        self._clock = clock
        self._reach = reach
        self._kept: dict[bytes, Way] = {}

    def __len__(self) -> int:
        """How many are kept."""
        return len(self._kept)

    def of(self, kubeconfig: bytes) -> Way:
        """The way that a kubeconfig describes. Raises Damaged."""
        digest = _digest(kubeconfig)
        way = self._kept.pop(digest, None) or self._read(kubeconfig)
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

    def _read(self, kubeconfig: bytes) -> Way:
        config = read_kubeconfig(kubeconfig)
        try:
            return Way(config.server, self._reach(config), 0.0)
        except ConfigError as error:
            raise Damaged(f"a kubeconfig that cannot be used: {error}") from error


def _digest(kubeconfig: bytes) -> bytes:
    return hashlib.sha256(kubeconfig).digest()
