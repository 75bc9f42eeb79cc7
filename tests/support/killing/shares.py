"""How much of all that can happen to an operator is taken: everything, or the share of a short run."""

from __future__ import annotations

from collections.abc import Sequence

from tests.support.killing.course import Course, Scenario, writes_of
from tests.support.killing.faults import KINDS, Fault
from tests.support.killing.points import Point
from tests.support.killing.scenarios import SCENARIOS

FEW = 3  # faults of each scenario in a short run


def deaths(scenario: Scenario, usual: Course, seed: int, *, is_thorough: bool) -> Sequence[Point]:
    """The moments to die at; with another seed, other moments of them are met."""
    return usual.distinct if is_thorough else usual.distinct[seed % scenario.step :: scenario.step]


def faults(scenario: Scenario, usual: Course, seed: int, *, is_thorough: bool) -> Sequence[Fault]:
    """The faults to meet, and where."""
    writes = writes_of(usual)
    return all_faults(writes) if is_thorough else _few(scenario, writes, seed)


def all_faults(writes: int) -> Sequence[Fault]:
    """Each kind at each write."""
    return [Fault(kind, at) for at in range(writes) for kind in KINDS]


def _few(scenario: Scenario, writes: int, seed: int) -> Sequence[Fault]:
    """Others for each scenario and for each seed, spread over the writes."""
    first = SCENARIOS.index(scenario) + seed
    kinds = [KINDS[(first + FEW * number) % len(KINDS)] for number in range(FEW)]
    return [Fault(kind, (number * writes // FEW + first) % writes) for number, kind in enumerate(kinds)]
