"""An operator that dies at any moment leaves nothing that its successor cannot finish, nor anything forbidden."""

from __future__ import annotations

import pytest
from tests.support.killing.course import Scenario, take, undisturbed
from tests.support.killing.scenarios import SCENARIOS
from tests.support.killing.telling import assert_alike


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_death_at_any_moment_ends_as_if_it_had_not_been(scenario: Scenario, seed: int, is_thorough: bool) -> None:
    usual = undisturbed(scenario, seed)
    # With another seed, other moments of them are met.
    moments = usual.distinct if is_thorough else usual.distinct[seed % scenario.step :: scenario.step]
    assert len(moments) > 2, "fewer would mean that nothing was tested"
    for moment in moments:
        where = f"seed {seed}, killed at {moment.number}: {moment.what}"
        try:
            cut = take(scenario, seed=seed, kill_at=moment.number)
        except Exception as error:
            raise AssertionError(f"{where}\n{error}") from error
        assert cut.killed_at == moment, f"{where}: it is another history"
        assert_alike(cut, usual, where)
