"""A client-side rate limit, off by default: API priority and fairness on the server does that job better.

It is here for servers without it and for tools that must stay polite whatever the server allows.
"""

from __future__ import annotations

from homeostat.kit.clock import Clock


class RateLimit:
    """A token bucket: `per_second` requests on average, `burst` at once; callers are served in order of arrival."""

    def __init__(self, *, per_second: float, burst: int, clock: Clock) -> None:
        if per_second <= 0 or burst < 1:
            raise ValueError(f"rate limit: expected per_second > 0 and burst >= 1, found {per_second} and {burst}")
        self._per_second = per_second
        self._burst = float(burst)
        self._clock = clock
        self._tokens = float(burst)
        self._at = clock.monotonic()

    async def wait(self) -> None:
        """Take a token, waiting for it when there is none."""
        delay_s = self._reserve()
        if delay_s > 0:
            await self._clock.sleep(delay_s)

    def _reserve(self) -> float:
        """Book a token, possibly of the future, and say in how many seconds it is there."""
        now = self._clock.monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._per_second)
        self._at = now
        self._tokens -= 1.0
        return max(0.0, -self._tokens / self._per_second)
