"""The work queue: keys that wait for a worker, with the semantics of client-go and with priorities.

Promises: a key waits at most once; a key is with one worker at most; a key added while it is being worked on comes
again after `done`. Keys of a higher priority go first, so that the echo of a change does not wait behind ten thousand
first reconciles; so that nothing starves, one take in `share` goes to the lower key that waited longest, once it
waited `age_s`. Within a priority it is first come, first served.

`run` moves delayed keys over when they are due; it must run for delays to pass. All else is synchronous, so a batch of
events adds its keys without one task or await.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from enum import IntEnum
from itertools import count
from typing import Generic, TypeVar

from homeostat.kit.backoff import Backoff
from homeostat.kit.clock import Clock
from homeostat.kit.random import Random
from homeostat.runtime.queue_metrics import NO_METRICS, QueueObserver

K = TypeVar("K", bound=Hashable)


class Priority(IntEnum):
    """Lower goes first."""

    URGENT = 0  # somebody is being harmed
    CHANGE = 1
    LATER = 2  # a change that nobody is harmed by if it waits
    INITIAL = 3
    RESYNC = 4


class Queue(Generic[K]):
    """Keys to work on. Belongs to one event loop. `rank` may give a key another priority than it was added with."""

    def __init__(
        self,
        *,
        clock: Clock,
        random: Random,
        backoff: Backoff = Backoff(base_s=0.005, factor=2.0, cap_s=300.0, jitter=0.1),  # noqa: B008  (frozen)
        observer: QueueObserver = NO_METRICS,
        rank: Callable[[K, Priority], Priority] | None = None,
        age_s: float = 10.0,
        share: int = 4,
    ) -> None:
        self._clock = clock
        self._random = random
        self._backoff = backoff
        self._observer = observer
        self._rank = rank
        self._age_s = age_s
        self._share = share
        self._takes = 0
        self._lanes: tuple[OrderedDict[K, float], ...] = tuple(OrderedDict() for _ in Priority)
        self._waiting: dict[K, int] = {}  # key -> lane
        self._dirty: dict[K, int] = {}  # added while being worked on
        self._processing: dict[K, float] = {}  # key -> since when
        self._failures: dict[K, int] = {}
        self._delayed: list[tuple[float, int, K, int]] = []
        self._due: dict[K, float] = {}
        self._order = count()
        self._sooner = asyncio.Event()
        self._takers: deque[asyncio.Future[None]] = deque()
        self._closed = False

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def closed(self) -> bool:
        """No more keys are handed out."""
        return self._closed

    @property
    def processing(self) -> int:
        """How many keys are with workers."""
        return len(self._processing)

    def longest_running_s(self) -> float:
        """For how long the oldest key has been with its worker."""
        return self._clock.monotonic() - min(self._processing.values()) if self._processing else 0.0

    def unfinished_s(self) -> float:
        """The seconds that all keys in work have taken so far."""
        now = self._clock.monotonic()
        return sum(now - since for since in self._processing.values())

    def add(self, key: K, priority: Priority = Priority.CHANGE) -> None:
        """Let the key be worked on; a key that waits already keeps its place or moves to the better priority."""
        if self._closed:
            return
        self._observer.added()
        if self._rank is not None:
            priority = self._rank(key, priority)
        if key in self._processing:
            self._dirty[key] = min(self._dirty.get(key, priority), priority)
            return
        lane = self._waiting.get(key)
        if lane is None:
            self._lanes[priority][key] = self._clock.monotonic()
        elif lane > priority:
            self._lanes[priority][key] = self._lanes[lane].pop(key)
        else:
            return
        self._waiting[key] = priority
        self._wake_one()

    def add_after(self, key: K, seconds: float, priority: Priority = Priority.CHANGE) -> None:
        """Add the key later; of several delays of one key the earliest counts."""
        if self._closed:
            return
        if seconds <= 0:
            self.add(key, priority)
            return
        due = self._clock.monotonic() + seconds
        if self._due.get(key, due + 1) <= due:
            return
        self._due[key] = due
        heapq.heappush(self._delayed, (due, next(self._order), key, priority))
        if self._delayed[0][2] is key:
            self._sooner.set()

    def add_failed(self, key: K, least_s: float = 0.0) -> float:
        """Add the key after its back-off, which grows with each failure; returns the seconds."""
        attempt = self._failures.get(key, 0)
        self._failures[key] = attempt + 1
        self._observer.retried()
        seconds = max(self._backoff.delay_s(attempt, self._random), least_s)
        self.add_after(key, seconds)
        return seconds

    def forget(self, key: K) -> None:
        """The key went well: its next failure starts with the shortest back-off."""
        self._failures.pop(key, None)

    def failures(self, key: K) -> int:
        """How often the key failed in a row."""
        return self._failures.get(key, 0)

    def take(self) -> K | None:
        """The next key, which is then with the caller until `done`; None when none waits or the queue is closed."""
        if self._closed or not self._waiting:
            return None
        now = self._clock.monotonic()
        lane = self._choose(now)
        key, since = self._lanes[lane].popitem(last=False)
        del self._waiting[key]
        self._processing[key] = now
        self._observer.taken(now - since)
        return key

    def _choose(self, now: float) -> int:
        lanes = self._lanes
        best = next(lane for lane, keys in enumerate(lanes) if keys)
        if len(lanes[best]) == len(self._waiting):
            return best
        self._takes += 1
        if self._takes % self._share:
            return best
        heads = {lane: next(iter(keys.values())) for lane, keys in enumerate(lanes) if keys and lane > best}
        oldest = min(heads, key=heads.__getitem__)
        return oldest if now - heads[oldest] >= self._age_s else best

    async def get(self) -> K | None:
        """Wait for the next key; None when the queue is closed."""
        while not self._closed:
            key = self.take()
            if key is not None:
                return key
            taker = asyncio.get_running_loop().create_future()
            self._takers.append(taker)
            try:
                await taker
            except asyncio.CancelledError:
                with contextlib.suppress(ValueError):  # it may have been woken, and left the line, already
                    self._takers.remove(taker)
                if taker.done() and not taker.cancelled():
                    self._wake_one()
                raise
        return None

    def done(self, key: K) -> None:
        """The caller is finished with a key that it took."""
        since = self._processing.pop(key)
        self._observer.worked(self._clock.monotonic() - since)
        priority = self._dirty.pop(key, None)
        if priority is not None and not self._closed:
            self._lanes[priority][key] = self._clock.monotonic()
            self._waiting[key] = priority
            self._wake_one()

    def close(self) -> None:
        """Hand out no more keys; those in work may finish."""
        self._closed = True
        self._sooner.set()
        while self._takers:
            self._wake_one()

    async def run(self) -> None:
        """Move delayed keys over when they are due, until the queue is closed."""
        while not self._closed:
            self._sooner.clear()
            self._move_due()
            delay = self._delayed[0][0] - self._clock.monotonic() if self._delayed else None
            # Running out of time is the normal way on here: something is due.
            with contextlib.suppress(TimeoutError):
                async with self._clock.timeout(delay):
                    await self._sooner.wait()

    def _move_due(self) -> None:
        now = self._clock.monotonic()
        while self._delayed and self._delayed[0][0] <= now:
            due, _, key, priority = heapq.heappop(self._delayed)
            if self._due.get(key) == due:  # else an earlier delay of the key has replaced this one
                del self._due[key]
                self.add(key, Priority(priority))

    def _wake_one(self) -> None:
        while self._takers:
            taker = self._takers.popleft()
            if not taker.done():
                taker.set_result(None)
                return
