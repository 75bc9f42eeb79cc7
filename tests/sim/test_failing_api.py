"""An API server that fails at any one write, in any way, changes nothing about how it ends."""

from __future__ import annotations

import pytest
from tests.support.killing.course import Course, Scenario, take, undisturbed, writes_of
from tests.support.killing.faults import KINDS, Fault
from tests.support.killing.scenarios import SCENARIOS
from tests.support.killing.telling import assert_alike

FEW = 3  # faults of each scenario in a short run


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_fault_at_any_write_ends_as_if_it_had_not_been(scenario: Scenario, seed: int, is_thorough: bool) -> None:
    usual = undisturbed(scenario, seed)
    faults = all_faults(writes_of(usual)) if is_thorough else few(scenario, writes_of(usual), seed)
    found = [why for fault in faults if (why := difference(scenario, seed, fault, usual))]
    assert not found, f"{len(found)} of {len(faults)}:\n" + "\n\n".join(found)


def difference(scenario: Scenario, seed: int, fault: Fault, usual: Course) -> str:
    """What a fault changes, with what is needed to see it again; empty: nothing."""
    where = f"seed {seed}, {fault.kind} at write {fault.at}"
    try:
        assert_alike(take(scenario, seed=seed, fault=fault), usual, where)
    except Exception as error:  # a sweep goes on, and tells all
        return f"{where}: {type(error).__name__}: {error}"
    return ""


def all_faults(writes: int) -> list[Fault]:
    """Each kind at each write."""
    return [Fault(kind, at) for at in range(writes) for kind in KINDS]


def few(scenario: Scenario, writes: int, seed: int) -> list[Fault]:
    """Others for each scenario and for each seed, spread over the writes."""
    first = SCENARIOS.index(scenario) + seed
    kinds = [KINDS[(first + FEW * number) % len(KINDS)] for number in range(FEW)]
    return [Fault(kind, (number * writes // FEW + first) % writes) for number, kind in enumerate(kinds)]
