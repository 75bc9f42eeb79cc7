"""When a server forgets: as a kube-apiserver has its etcd compacted, every five minutes up to where it was at the last.

No timer runs for it: time is looked at when somebody asks for something. So an idle server costs nothing, and forgets
at the next request all that was five minutes old by then.
"""

from __future__ import annotations

from homeostat.kit.clock import Clock
from homeostat.sim.apiserver.store.store import Store

EVERY_S = 300.0  # --etcd-compaction-interval


class Compactor:
    """Of one store, which nobody else compacts."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._marked_at = self._asked_at = clock.monotonic()
        self._mark = store.revision

    def look(self) -> None:
        """Forget what it is time to forget; to be called before a request is answered."""
        now = self._clock.monotonic()
        since_asked, self._asked_at = now - self._asked_at, now
        if now < self._marked_at + EVERY_S:
            return
        self._store.forget(self._store.revision if since_asked >= EVERY_S else self._mark)
        self._marked_at, self._mark = now, self._store.revision
