"""An API server that fails at any one write, in any way, changes nothing about how it ends."""

from __future__ import annotations

import pytest
from tests.support.killing.branching import troubled
from tests.support.killing.course import Scenario, undisturbed
from tests.support.killing.scenarios import SCENARIOS
from tests.support.killing.shares import faults
from tests.support.killing.telling import difference


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_fault_at_any_write_ends_as_if_it_had_not_been(scenario: Scenario, seed: int, is_thorough: bool) -> None:
    usual = undisturbed(scenario, seed)
    chosen = faults(scenario, usual, seed, is_thorough=is_thorough)
    ends = troubled(scenario, seed, chosen)
    told = [difference(ends[each], usual, f"seed {seed}, {each.kind} at write {each.at}") for each in chosen]
    found = [why for why in told if why]
    assert not found, f"{len(found)} of {len(chosen)}:\n" + "\n\n".join(found)
