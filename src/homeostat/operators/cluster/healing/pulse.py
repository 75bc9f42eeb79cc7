"""How fast the cell's API server answers, felt on what the operator asks it anyway.

Who waits long for the cell sees every cluster late, and would take their slowness for illness. The pulse costs no
request of its own: even an idle operator renews its Lease every few seconds.
"""

from __future__ import annotations

from collections import deque

from msgspec import Struct

from homeostat.kit.clock import Clock
from homeostat.kube.observing import Observation, Observer

_FAILURES = ("timeout", "refused", "cut", "500", "503", "504", "429")
_KEPT = 200


class PulsePolicy(Struct, frozen=True):
    """When the cell is too slow to judge others by."""

    window_s: float = 60.0
    slow_s: float = 1.0  # an answer that took longer is a late one, and so is none at all
    at_least: int = 5  # answers; fewer say nothing
    late_share: float = 0.5


class Pulse:
    """An observer of the cell's client."""

    def __init__(self, clock: Clock, policy: PulsePolicy = PulsePolicy()) -> None:  # noqa: B008  (a frozen value)
        self._clock = clock
        self._policy = policy
        self._beats: deque[tuple[float, bool]] = deque(maxlen=_KEPT)

    def __call__(self, observation: Observation, /) -> None:
        """Take note of one answer; how long a watch takes to begin says little."""
        if observation.verb == "watch":
            return
        is_late = observation.seconds > self._policy.slow_s or observation.code in _FAILURES
        self._beats.append((self._clock.monotonic(), is_late))

    @property
    def is_slow(self) -> bool:
        """Whether a good part of the last minute's answers came late, or not at all."""
        since = self._clock.monotonic() - self._policy.window_s
        recent = [is_late for at, is_late in self._beats if at >= since]
        return len(recent) >= self._policy.at_least and sum(recent) >= self._policy.late_share * len(recent)

    def beside(self, other: Observer) -> Observer:
        """An observer that tells both."""

        def observe(observation: Observation, /) -> None:
            self(observation)
            other(observation)

        return observe
