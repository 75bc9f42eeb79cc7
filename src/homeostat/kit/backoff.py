"""Exponential back-off with jitter, as a value: attempt in, seconds out."""

from __future__ import annotations

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
