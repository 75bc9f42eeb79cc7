"""An operator that dies at any moment, in a cell where masters run: the end is as if it had lived, with all data."""

from __future__ import annotations

import pytest
from tests.support.fleets import Fleet
from tests.support.killing.whole import WholeScenario, keep_word, take_whole

OLD, NEW = "v1.34.4", "v1.35.4"
HALF_AN_HOUR_S = 1800.0


async def declare(cell: Fleet) -> None:
    await cell.declare(packageVersion=OLD)


async def declare_three(cell: Fleet) -> None:
    await cell.declare(packageVersion=OLD, topology="ha")


async def ready(cell: Fleet) -> None:
    await cell.until_ready(within_s=HALF_AN_HOUR_S)


async def keep(cell: Fleet) -> None:
    await keep_word(cell, "kept")


async def move(cell: Fleet) -> None:
    await cell.change(packageVersion=NEW)


async def delete(cell: Fleet) -> None:
    await cell.delete()


async def gone(cell: Fleet) -> None:
    await cell.until_gone(within_s=HALF_AN_HOUR_S)


async def lose_a_host(cell: Fleet) -> None:
    found = cell.find("Pod", "demo-etcd-0")
    assert found is not None
    cell.world.centre.cut_power(found["spec"]["nodeName"])
    await cell.until(lambda: not cell.is_ready(), "it is noticed", 600)


SCENARIOS = (
    WholeScenario("create", declare, ready),
    WholeScenario("delete", delete, gone, before=(declare, ready)),
    WholeScenario("upgrade", move, ready, before=(declare, ready, keep)),
    WholeScenario("heal", lose_a_host, ready, before=(declare_three, ready, keep), moments=3),
)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_death_at_any_moment_ends_as_if_it_had_not_been(
    scenario: WholeScenario, seed: int, is_thorough: bool
) -> None:
    usual = take_whole(scenario, seed=seed)
    assert len(usual.points) > 20, "fewer would mean that nothing was tested"
    step = 1 if is_thorough else len(usual.points) // scenario.moments
    for moment in usual.points[seed % step :: step]:
        cut = take_whole(scenario, seed=seed, kill_at=moment.number)
        where = f"seed {seed}, killed at {moment.number}: {moment.what}"
        assert cut.killed_at == moment, f"{where}: it is another history"
        assert cut.outcome == usual.outcome, where
