"""Exponential back-off: as a value with jitter, attempt in, seconds out; and as a span that a status can name."""

from __future__ import annotations

from datetime import timedelta

from msgspec import Struct

from homeostat.kit.random import Random


class Backoff(Struct, frozen=True):
    """Delays of base * factor**attempt seconds, at most `cap_s`, each lengthened by up to `jitter` of itself."""

    base_s: float = 0.005
    factor: float = 2.0
    cap_s: float = 1000.0
    jitter: float = 0.0

    def delay_s(self, attempt: int, random: Random) -> float:
        """Seconds to wait before try number `attempt` (0 is the first retry)."""
        # Exponents above 60 overflow nothing but say nothing either: the cap is long reached.
        raw = min(self.base_s * self.factor ** min(attempt, 60), self.cap_s)
        return raw * (1.0 + self.jitter * random.random())


def doubled(first: timedelta, failures: int, longest: timedelta) -> timedelta:
    """How long to wait after so many failures: not at all after none, then `first`, doubled each time."""
    return min(first * (1 << min(failures - 1, 32)), longest) if failures > 0 else timedelta(0)
