"""How fast the cell's API server answers, felt on what the operator asks it anyway.

Who waits long for the cell sees every cluster late, and would take their slowness for illness. The pulse costs no
request of its own: even an idle operator renews its Lease every few seconds.

A cell becomes slow within seconds, and is quick again only after a calm window: one that is slow most of the time would
otherwise be judged in each of its better moments, by what was seen in the worse ones. Silence is not calm.
"""

from __future__ import annotations

import math
from collections import deque

from msgspec import Struct

from homeostat.kit.clock import Clock
from homeostat.kube.observing import Observation, Observer

_FAILURES = ("timeout", "refused", "cut", "500", "503", "504", "429")
_SPAN_S = 5.0  # of what is counted together, so that a busy operator keeps no more than an idle one


class PulsePolicy(Struct, frozen=True):
    """When the cell is too slow to judge others by, and when it no longer is."""

    slow_s: float = 1.0  # an answer that took longer is a late one, and so is none at all
    at_least: int = 5  # answers; fewer say nothing
    window_s: float = 60.0
    late_share: float = 0.5  # of the answers of a window: then it is slow
    calm_share: float = 0.1  # fewer than that, for so long on end: then it is quick again
    calm_s: float = 60.0


class _Beats(Struct):
    """The answers of one span."""

    span: int
    answers: int = 0
    late: int = 0


class Pulse:
    """An observer of the cell's client."""

    def __init__(self, clock: Clock, policy: PulsePolicy = PulsePolicy()) -> None:  # noqa: B008  (a frozen value)
        self._clock = clock
        self._policy = policy
        self._beats: deque[_Beats] = deque()
        self._is_slow = False
        self._unwell_at = -math.inf

    def __call__(self, observation: Observation, /) -> None:
        """Take note of one answer; how long a watch takes to begin says little."""
        if observation.verb == "watch":
            return
        now = self._clock.monotonic()
        self._count(now, observation.seconds > self._policy.slow_s or observation.code in _FAILURES)
        answers, late = self._within(now)
        is_known = answers >= self._policy.at_least
        if not is_known or late >= self._policy.calm_share * answers:
            self._unwell_at = now
        if is_known and late >= self._policy.late_share * answers:
            self._is_slow = True
        elif now >= self._unwell_at + self._policy.calm_s:
            self._is_slow = False

    @property
    def is_slow(self) -> bool:
        """Whether a good part of a minute's answers came late, or not at all, and no calm window has passed since."""
        return self._is_slow

    def beside(self, other: Observer) -> Observer:
        """An observer that tells both."""

        def observe(observation: Observation, /) -> None:
            self(observation)
            other(observation)

        return observe

    def _count(self, now: float, is_late: bool) -> None:
        span = int(now // _SPAN_S)
        if not self._beats or self._beats[-1].span != span:
            self._beats.append(_Beats(span))
        self._beats[-1].answers += 1
        self._beats[-1].late += is_late

    def _within(self, now: float) -> tuple[int, int]:
        """How many answers came within the window, and how many of those late; what is older is forgotten."""
        first = int((now - self._policy.window_s) // _SPAN_S)
        while self._beats[0].span < first:
            self._beats.popleft()
        return sum(beats.answers for beats in self._beats), sum(beats.late for beats in self._beats)
