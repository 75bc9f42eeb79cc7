"""The cell is slow when a good part of the last minute's answers came late, or not at all."""

from __future__ import annotations

import pytest
from tests.support.clock import ManualClock

from homeostat.kube.observing import Observation
from homeostat.operators.cluster.healing.pulse import Pulse


def answer(seconds: float = 0.01, *, verb: str = "get", code: str = "200") -> Observation:
    return Observation(verb, "leases", code, seconds)


def felt(*answers: Observation) -> tuple[Pulse, ManualClock]:
    clock = ManualClock()
    pulse = Pulse(clock)
    for each in answers:
        pulse(each)
    return pulse, clock


@pytest.mark.parametrize(
    ("answers", "is_slow"),
    [
        ([], False),
        ([answer(5.0)] * 4, False),
        ([answer(5.0)] * 5, True),
        ([answer(code="timeout")] * 5, True),
        ([answer(code="503")] * 3 + [answer()] * 3, True),
        ([answer(5.0)] * 2 + [answer()] * 3, False),
        ([answer(5.0, verb="watch")] * 9, False),
        ([answer(code="404")] * 9, False),
    ],
)
def test_few_or_quick_answers_are_no_slowness(answers: list[Observation], is_slow: bool) -> None:
    pulse, _ = felt(*answers)
    assert pulse.is_slow is is_slow


def test_what_was_slow_a_minute_ago_is_forgotten() -> None:
    pulse, clock = felt(*[answer(5.0)] * 9)
    clock.step(61)
    assert not pulse.is_slow


def test_another_observer_hears_the_same() -> None:
    heard: list[Observation] = []
    pulse, _ = felt()
    observe = pulse.beside(heard.append)
    for _ in range(5):
        observe(answer(5.0))
    assert (len(heard), pulse.is_slow) == (5, True)
