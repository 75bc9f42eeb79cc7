"""When a kubelet finds out: probes are not made, it is worked out when they would have been. Pure.

A probe is made at fixed moments from the first on. It finds what is answered then: an answer that changes and changes
back between two moments is seen by nobody. As many findings in a row as the threshold says make a verdict. So, from the
moments at which answers changed, the moment of the next verdict is known in advance, and nothing runs until then.
"""

from __future__ import annotations

from math import floor, inf

from homeostat.sim.world.hosts.kubelet.spec import Probe

_CLOSE = 1e-6  # of a period: moments that are the same but for rounding


class Asking:
    """One probe of one container that runs; times are monotonic seconds."""

    def __init__(self, probe: Probe, first_s: float, *, answer: bool, verdict: bool | None) -> None:
        """Asks from `first_s` on; `verdict` is what is believed until then, or None where nothing is."""
        self._first = first_s
        self._period = float(max(probe.period_seconds, 1))
        self._needed = {True: max(probe.success_threshold, 1), False: max(probe.failure_threshold, 1)}
        self._answer = answer
        self._made = 0  # probes so far
        self._row = (answer, 0)  # what was found last, and how often in a row
        self.verdict = verdict

    def answered(self, now: float, answer: bool) -> None:
        """What is answered from now on."""
        self.advance(now)
        self._answer = answer

    def advance(self, now: float) -> None:
        """Take in what was found up to now."""
        through = self._through(now)
        made, self._made = through - self._made, max(through, self._made)
        if made <= 0:
            return
        found, times = self._row
        times = times + made if found == self._answer else made
        self._row = (self._answer, times)
        if times >= self._needed[self._answer]:
            self.verdict = self._answer

    def due(self) -> float:
        """When the verdict becomes another one, if answers stay as they are; never is infinite."""
        if self.verdict == self._answer:
            return inf
        found, times = self._row
        missing = self._needed[self._answer] - (times if found == self._answer else 0)
        return self._first + (self._made + max(missing, 1) - 1) * self._period

    def _through(self, now: float) -> int:
        """How many probes were made up to a moment, with it."""
        return max(floor((now - self._first) / self._period + _CLOSE) + 1, 0)


def first_at(probe: Probe, now: float, started: float) -> float:
    """When the first probe is made: at once, but for its delay, and then at the next of its moments."""
    period, delay = max(probe.period_seconds, 1), probe.initial_delay_seconds
    wait = started + delay - now
    return now if wait <= 0 else now + -(-wait // period) * period
