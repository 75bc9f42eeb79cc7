"""Chance as an object that is passed in.

`Random` is what homeostat needs of a random source; `random.Random` satisfies it, so a seeded one gives one history.
Keys and tokens are the exception: they come from the operating system, through `homeostat.kit.pki.source`.
"""

from __future__ import annotations

import random
from typing import Protocol


class Random(Protocol):
    """A source of chance for jitter, sampling and names; never for secrets."""

    def random(self) -> float:
        """A float in [0, 1)."""
        ...

    def uniform(self, a: float, b: float) -> float:
        """A float between a and b."""
        ...

    def randrange(self, start: int, stop: int) -> int:
        """An integer in [start, stop)."""
        ...


def system_random() -> Random:
    """A source seeded by the operating system, for production."""
    return random.Random()  # noqa: S311  (jitter and names, not secrets)


def seeded_random(seed: int | str) -> Random:
    """A source that gives the same numbers for a seed, in every process: for simulations and tests."""
    return random.Random(seed)  # noqa: S311  (the opposite of a secret)
