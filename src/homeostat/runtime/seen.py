"""Reading one's own writes from a cache that lags behind.

After a write that returned resourceVersion R, the key is not reconciled until the store holds R: acting on the cache
from before the write would do it twice. Nobody sleeps: the key is parked, and the store puts it back into the queue
in the same batch that brings R.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

from homeostat.runtime.store import Store

K = TypeVar("K", bound=Hashable)


class Writes(Generic[K]):
    """Which keys wait for the echo of their writes."""

    def __init__(self, wake: Callable[[K], None]) -> None:
        self._wake = wake
        self._awaited: dict[K, int] = {}
        self._parked: set[K] = set()

    def note(self, key: K, store: Store[Any], resource_version: str) -> None:
        """A write for this key returned this version, and this store will show it."""
        if store.has_seen(resource_version):
            return
        self._awaited[key] = self._awaited.get(key, 0) + 1
        store.when(resource_version, lambda: self._arrived(key))

    def park(self, key: K) -> bool:
        """True when the key must wait; it is woken by itself."""
        if key not in self._awaited:
            return False
        self._parked.add(key)
        return True

    def _arrived(self, key: K) -> None:
        left = self._awaited[key] - 1
        if left:
            self._awaited[key] = left
            return
        del self._awaited[key]
        if key in self._parked:
            self._parked.discard(key)
            self._wake(key)
