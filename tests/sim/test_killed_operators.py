"""An operator that dies at any moment leaves nothing that its successor cannot finish, nor anything forbidden."""

from __future__ import annotations

import pytest
from tests.support.killing.branching import killed
from tests.support.killing.course import Scenario, undisturbed
from tests.support.killing.scenarios import SCENARIOS
from tests.support.killing.shares import deaths
from tests.support.killing.telling import difference


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_death_at_any_moment_ends_as_if_it_had_not_been(scenario: Scenario, seed: int, is_thorough: bool) -> None:
    usual = undisturbed(scenario, seed)
    moments = deaths(scenario, usual, seed, is_thorough=is_thorough)
    assert len(moments) > 2, "fewer would mean that nothing was tested"
    ends = killed(scenario, seed, [moment.number for moment in moments])
    told = []
    for moment in moments:
        where, end = f"seed {seed}, killed at {moment.number}: {moment.what}", ends[moment.number]
        told.append(difference(end, usual, where))
        assert end.result is None or end.result.killed_at == moment, f"{where}: it is another history"
    found = [why for why in told if why]
    assert not found, f"{len(found)} of {len(moments)}:\n" + "\n\n".join(found)
