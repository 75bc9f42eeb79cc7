"""Where one Cluster stands in line."""

from __future__ import annotations

from msgspec import Struct

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


FREE = Place()
