"""The moments at which a process may die, and the one at which it does.

They are counted while a scenario runs undisturbed: right before and right after everything that the process does to the
outside (a write to the API, a call of a port), and every resume of one of its tasks. A simulation with the same seed
comes by the same moments, so that a number names one.

A process that dies leaves nothing but the world. So moments between which the world has not changed are one: dying at
any of them is dying at the first. `distinct` are those that differ.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable

from msgspec import Struct


class Point(Struct, frozen=True):
    """A moment: its number, what happens there, and what the world is then."""

    number: int
    what: str
    world: Hashable


class Points:
    """Counts, while it is told to, and kills at the number of which it is told that somebody dies there."""

    def __init__(self, world: Callable[[], Hashable], kill: Callable[[], None], dies: Callable[[int], bool]) -> None:
        self.met: list[Point] = []
        self.is_counting = False
        self.killed_at: Point | None = None
        self._world = world
        self._kill = kill
        self._dies = dies

    def reach(self, what: str) -> None:
        """Somebody is here."""
        if not self.is_counting or self.killed_at is not None:
            return
        point = Point(len(self.met), what, self._world())
        self.met.append(point)
        if self._dies(point.number):
            self.killed_at = point
            self._kill()

    def distinct(self) -> list[Point]:
        """The first point of every world that there was, in their order."""
        first: dict[Hashable, Point] = {}
        for point in self.met:
            first.setdefault(point.world, point)
        return list(first.values())
