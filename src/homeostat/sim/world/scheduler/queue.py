"""Pods that wait for a place: those that are to be looked at next, and those that must wait for a change.

The more important goes first, then the one that has waited longer. Who fits nowhere is not looked at again until
something changes that could help: a Node on which it would fit now, or Pods that its terms are about.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from itertools import count

from msgspec import Struct

from homeostat.sim.world.kinds.pods import Pod
from homeostat.sim.world.scheduler.asking import Ask
from homeostat.sim.world.scheduler.choosing import fitting
from homeostat.sim.world.scheduler.estate import Estate
from homeostat.sim.world.scheduler.filters.neighbours import AFFINITY, SPREAD
from homeostat.sim.world.scheduler.filters.volumes import Stock, Unready

_OTHERS = frozenset({SPREAD, AFFINITY})


class Waiting(Struct, eq=False):
    """A Pod without a place. It is active while `place_in_line` is set."""

    pod: Pod
    ask: Ask
    by: frozenset[str] = frozenset()  # filters that refused it somewhere
    unready: str = ""
    place_in_line: int | None = None


class Changes(Struct, eq=False):
    """What happened since the waiting were thought of last."""

    nodes: dict[str, None] = {}
    pods: list[Ask] = []
    volumes: bool = False

    def __bool__(self) -> bool:
        return bool(self.nodes or self.pods or self.volumes)


class Queue:
    """All Pods without a place."""

    def __init__(self) -> None:
        self.waiting: dict[str, Waiting] = {}
        self.by_claim: dict[str, dict[str, None]] = {}
        self._line: list[tuple[int, int, str]] = []
        self._numbers = count()

    def add(self, pod: Pod, ask: Ask) -> None:
        """A Pod that is new, or asks for something else now."""
        self.drop(ask.key)
        self.waiting[ask.key] = Waiting(pod, ask)
        for name in ask.claims:
            self.by_claim.setdefault(f"{ask.namespace}/{name}", {})[ask.key] = None
        self.activate(ask.key)

    def drop(self, key: str) -> Waiting | None:
        """A Pod that waits no more."""
        found = self.waiting.pop(key, None)
        if found is not None:
            for name in found.ask.claims:
                claim = f"{found.ask.namespace}/{name}"
                self.by_claim[claim].pop(key, None)
                if not self.by_claim[claim]:
                    del self.by_claim[claim]
        return found

    def activate(self, key: str) -> None:
        """Look at a Pod, when its turn comes."""
        found = self.waiting.get(key)
        if found is not None and found.place_in_line is None:
            found.place_in_line = next(self._numbers)
            heapq.heappush(self._line, (-found.ask.priority, found.place_in_line, key))

    def next(self) -> Waiting | None:
        """Whose turn it is."""
        while self._line:
            _, number, key = heapq.heappop(self._line)
            found = self.waiting.get(key)
            if found is not None and found.place_in_line == number:
                found.place_in_line = None
                return found
        return None

    def __len__(self) -> int:
        return len(self._line)

    def helped(self, changes: Changes, estate: Estate, stock: Stock) -> Iterable[str]:
        """Who of those that fitted nowhere may fit now."""
        for key, each in self.waiting.items():
            if each.place_in_line is None and _helps(each, changes, estate, stock):
                yield key


def _helps(waiting: Waiting, changes: Changes, estate: Estate, stock: Stock) -> bool:
    ask = waiting.ask
    if waiting.unready:
        return changes.volumes
    if changes.volumes and ask.claims:
        return True
    if waiting.by & _OTHERS and any(_concerns(ask, each) for each in changes.pods):
        return True
    if not changes.nodes:
        return False
    prepared = fitting(ask, estate, stock)
    if isinstance(prepared, Unready):
        return True
    rooms = (estate.rooms.get(name) for name in changes.nodes)
    return any(room is not None and room.node is not None and prepared.refusal(room) is None for room in rooms)


def _concerns(ask: Ask, other: Ask) -> bool:
    """Whether a Pod that came or went counts in terms of one that waits; or may have terms about it."""
    if other.away:
        return True
    nears = (*(each.near for each in ask.hard), *ask.with_, *ask.away)
    return any(each.scope.namespace_selector or each.scope.has(other.namespace, other.labels, {}) for each in nears)
