"""Where one Cluster stands in line."""

from __future__ import annotations

from datetime import timedelta

from msgspec import Struct

_LEAST = timedelta(seconds=30)  # until whoever comes next looks again
_TAKES = timedelta(seconds=10)  # whoever is before it, at the fastest
_STEPS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)


class Place(Struct, frozen=True):
    """Whether it may begin, and how many are before it if not."""

    may_begin: bool = True
    before: int = 0
    at_once: int = 0  # how many may be under way

    @property
    def among(self) -> str:
        """Roughly how far it is: exact numbers would be written anew into every status at every step."""
        most = next((step for step in _STEPS if self.before < step), 0)
        return f"among the next {most}" if most else f"behind more than {_STEPS[-1]} others"

    @property
    def again(self) -> timedelta:
        """When to look again, for who is not called before: not before `among` can be another one.

        Its turn is an event. Without one a place becomes free only where somebody is stuck, and that is news for those
        alone who come next; ten thousand who all looked every half a minute would do nothing else.
        """
        nearer = max((step for step in _STEPS if step <= self.before), default=0)
        turns = (self.before - nearer) // max(self.at_once, 1)
        return max(turns * _TAKES, _LEAST)


FREE = Place()
