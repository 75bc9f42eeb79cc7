"""When kubelets find out what containers answer."""

from __future__ import annotations

from math import inf

from tests.support.simulated_hosts import container, simulated_hosts

from homeostat.sim.world.hosts.kubelet.probing import Asking, first_at
from homeostat.sim.world.hosts.kubelet.spec import Probe

GET = {"httpGet": {"path": "/readyz", "port": 80}}


async def test_a_container_is_ready_once_its_readiness_probe_is_content() -> None:
    async with simulated_hosts() as world:
        await world.bind(containers=[container(readinessProbe={**GET, "periodSeconds": 5, "initialDelaySeconds": 3})])
        assert not await world.is_ready()
        await world.after(6)
        assert await world.is_ready()


async def test_a_container_that_fails_is_unready_after_as_many_probes_as_are_allowed_to_fail() -> None:
    async with simulated_hosts() as world:
        await world.bind(containers=[container(readinessProbe={**GET, "periodSeconds": 2, "failureThreshold": 3})])
        world.started[0].become(well=False)
        await world.after(5)
        assert await world.is_ready()
        await world.after(2)
        assert not await world.is_ready()
        world.started[0].become(well=True)
        await world.after(2)
        assert await world.is_ready()


async def test_a_failure_between_two_probes_is_seen_by_nobody() -> None:
    async with simulated_hosts() as world:
        await world.bind(containers=[container(livenessProbe={**GET, "periodSeconds": 10, "failureThreshold": 1})])
        await world.after(1)
        world.started[0].become(well=False)
        await world.after(8)
        world.started[0].become(well=True)
        await world.after(100)
        assert len(world.started) == 1


async def test_a_container_that_is_not_alive_is_killed_and_started_again() -> None:
    async with simulated_hosts() as world:
        await world.bind(containers=[container(livenessProbe={**GET, "periodSeconds": 10, "failureThreshold": 2})])
        world.started[0].become(well=False)
        await world.after(25)
        assert world.started[0].was_killed
        assert (await world.of_container())["restartCount"] == 1


async def test_nothing_else_is_asked_before_the_startup_probe_is_content() -> None:
    async with simulated_hosts() as world:
        startup = {**GET, "periodSeconds": 1, "failureThreshold": 30}
        liveness = {**GET, "periodSeconds": 1, "failureThreshold": 1}
        world.begins_well = False
        await world.bind(containers=[container(startupProbe=startup, livenessProbe=liveness)])
        await world.after(20)
        world.started[0].become(well=True)
        await world.after(2)
        assert (await world.of_container())["started"]
        assert len(world.started) == 1


async def test_a_container_that_never_starts_is_killed() -> None:
    async with simulated_hosts() as world:
        world.begins_well = False
        await world.bind(containers=[container(startupProbe={**GET, "periodSeconds": 1, "failureThreshold": 5})])
        await world.after(3)
        assert (await world.of_container())["restartCount"] == 0
        await world.after(3)
        assert (await world.of_container())["restartCount"] == 1


async def test_a_container_that_is_asked_and_well_costs_nothing() -> None:
    async with simulated_hosts() as world:
        await world.bind(containers=[container(readinessProbe=GET, livenessProbe=GET)])
        before = world.server.store.revision
        await world.after(3600)
        assert world.server.store.revision == before


def test_a_probe_that_is_always_content_has_nothing_to_find_out() -> None:
    asking = Asking(Probe(), 0.0, answer=True, verdict=True)
    assert asking.due() == inf


def test_as_many_failures_in_a_row_as_the_threshold_says_make_a_verdict() -> None:
    asking = Asking(Probe(period_seconds=10, failure_threshold=3), 0.0, answer=True, verdict=True)
    asking.answered(12.0, answer=False)
    assert asking.due() == 40.0  # probes at 20, 30 and 40 fail
    asking.advance(40.0)
    assert asking.verdict is False


def test_an_answer_in_between_begins_the_row_anew() -> None:
    asking = Asking(Probe(period_seconds=10, failure_threshold=3), 0.0, answer=True, verdict=True)
    asking.answered(12.0, answer=False)
    asking.answered(35.0, answer=True)
    asking.answered(41.0, answer=False)
    assert asking.due() == 70.0


def test_a_change_that_was_seen_by_no_probe_does_not_break_the_row() -> None:
    asking = Asking(Probe(period_seconds=10, failure_threshold=3), 0.0, answer=True, verdict=True)
    asking.answered(12.0, answer=False)
    asking.answered(31.0, answer=True)
    asking.answered(39.0, answer=False)
    assert asking.due() == 40.0


def test_the_first_probe_waits_for_its_delay() -> None:
    assert first_at(Probe(), 5.0, 5.0) == 5.0
    assert first_at(Probe(initial_delay_seconds=3, period_seconds=2), 5.0, 5.0) == 9.0
