"""The cell is slow when a good part of a minute's answers came late, and quick again only after a calm window."""

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


async def lived(pulse: Pulse, clock: ManualClock, seconds: float, *answers: Observation) -> list[bool]:
    """What is felt while one answer comes a second, the same ones again and again."""
    felt = []
    for number in range(int(seconds)):
        await clock.advance(1)
        pulse(answers[number % len(answers)])
        felt.append(pulse.is_slow)
    return felt


async def test_a_cell_that_was_slow_is_so_until_a_calm_window_has_passed() -> None:
    pulse, clock = felt(*[answer(5.0)] * 9)
    quick = await lived(pulse, clock, 180, answer())
    assert 115 <= quick.index(False) <= 126
    assert not any(quick[quick.index(False) :])


async def test_a_cell_that_is_slow_most_of_the_time_is_slow_all_the_time() -> None:
    pulse, clock = felt(*[answer(5.0)] * 9)
    for _ in range(5):
        assert all(await lived(pulse, clock, 60, answer(5.0), answer()))
        assert all(await lived(pulse, clock, 90, answer()))


async def test_one_late_answer_now_and_then_is_calm() -> None:
    pulse, clock = felt(*[answer(5.0)] * 9)
    assert not (await lived(pulse, clock, 180, answer(5.0), *[answer()] * 19))[-1]


async def test_a_cell_that_was_quick_for_long_is_slow_as_soon_as_half_of_a_minute_was_late() -> None:
    pulse, clock = felt()
    assert not any(await lived(pulse, clock, 300, answer()))
    slow = await lived(pulse, clock, 60, answer(5.0))
    assert 25 <= slow.index(True) <= 35


async def test_silence_is_not_calm() -> None:
    pulse, clock = felt(*[answer(5.0)] * 9)
    await clock.advance(600)
    assert pulse.is_slow
    pulse(answer())
    assert pulse.is_slow
    quick = await lived(pulse, clock, 90, answer())
    assert 60 <= quick.index(False) <= 66


async def test_however_much_a_busy_operator_asks_it_waits_for_a_calm_window() -> None:
    pulse, clock = felt(*[answer(5.0)] * 9)
    await clock.advance(1)
    for _ in range(1000):
        pulse(answer())
    quick = await lived(pulse, clock, 120, answer())
    assert 59 <= quick.index(False) <= 61


def test_another_observer_hears_the_same() -> None:
    heard: list[Observation] = []
    pulse, _ = felt()
    observe = pulse.beside(heard.append)
    for _ in range(5):
        observe(answer(5.0))
    assert (len(heard), pulse.is_slow) == (5, True)
