"""A whole cell on virtual time: Clusters are declared, become Ready, answer, move, are healed, and leave no trace."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from tests.support.fleets import Fleet, Whole, fleet
from tests.support.simulated import CONFIG_MAPS, config_map

from homeostat.kit.clock import Clock
from homeostat.kit.random import Random
from homeostat.sim.time.running import run

LEFT = ("Pod", "Secret", "Service", "PersistentVolumeClaim", "PersistentVolume", "Deployment", "StatefulSet")
HALF_AN_HOUR_S = 1800.0


def played(story: Callable[[Fleet], Coroutine[Any, Any, None]], seed: int = 0) -> None:
    """A story in a cell of its own."""

    async def main(clock: Clock, random: Random) -> None:
        async with fleet(clock, random) as cell:
            await story(cell)

    run(main, seed=seed)


async def remember(cell: Fleet, word: str) -> None:
    async with cell.tenant() as tenant:
        await tenant.create(CONFIG_MAPS, config_map(word), "default")


async def remembered(cell: Fleet) -> set[str]:
    async with cell.tenant() as tenant:
        return {each["metadata"]["name"] for each in (await tenant.list(CONFIG_MAPS, "default")).items}


def pod(cell: Fleet, name: str) -> Whole:
    found = cell.find("Pod", name)
    assert found is not None
    return found


def test_a_cluster_becomes_ready_answers_and_is_deleted_without_a_trace() -> None:
    async def story(cell: Fleet) -> None:
        await cell.declare()
        await cell.until_ready(within_s=180)
        await remember(cell, "word")
        async with cell.tenant() as tenant:
            assert (await tenant.version()).git_version == "v1.35.4"
        await cell.delete()
        await cell.until_gone(within_s=180)
        await cell.clock.sleep(60)
        assert {kind: found for kind in LEFT if (found := cell.all(kind))} == {}

    played(story)


def test_a_hosted_operator_runs_beside_the_masters() -> None:
    """Of the name that it shares with the steps of a restore, only those were played, and it crashed for ever."""

    async def story(cell: Fleet) -> None:
        await cell.declare(packageVersion="v1.35.4-hosted")
        await cell.until_ready(within_s=180)

    played(story)


def test_a_cluster_of_three_zones_moves_to_another_minor_and_back_with_its_data() -> None:
    async def story(cell: Fleet) -> None:
        await cell.declare(topology="ha", packageVersion="v1.34.4")
        await cell.until_ready(within_s=300)
        for number, version in enumerate(("v1.35.4", "v1.34.4")):
            await remember(cell, f"before-{number}")
            await cell.change(packageVersion=version)
            await cell.until_ready(within_s=HALF_AN_HOUR_S)
            async with cell.tenant() as tenant:
                assert (await tenant.version()).git_version == version
        assert await remembered(cell) == {"before-0", "before-1"}

    played(story)


def test_when_a_host_loses_its_power_masters_stand_elsewhere_and_nothing_is_lost() -> None:
    async def story(cell: Fleet) -> None:
        await cell.declare(topology="ha")
        await cell.until_ready(within_s=300)
        await remember(cell, "word")
        host = pod(cell, "demo-etcd-0")["spec"]["nodeName"]
        cell.world.centre.cut_power(host)
        await cell.until(lambda: not cell.is_ready(), "it is noticed", 300)
        assert await remembered(cell) == {"word"}

        def is_well() -> bool:
            hosts = {each["spec"].get("nodeName") for each in cell.all("Pod")}
            return cell.is_ready() and host not in hosts

        await cell.until(is_well, "masters stand elsewhere", HALF_AN_HOUR_S)
        assert await remembered(cell) == {"word"}

    played(story)


def test_a_single_cluster_whose_volume_is_wiped_does_not_begin_anew_as_if_nothing_had_been() -> None:
    async def story(cell: Fleet) -> None:
        await cell.declare()
        await cell.until_ready(within_s=180)
        host = pod(cell, "demo-etcd-0")["spec"]["nodeName"]
        cell.world.centre.host(host).wipe()
        cell.world.centre.cut_power(host)
        cell.world.centre.power_on(host)
        await cell.until(lambda: cell.condition("EtcdReady").get("reason") == "QuorumLost", "it is told", 900)
        assert not cell.is_ready()

    played(story)


def test_a_lost_quorum_is_restored_from_the_snapshot_that_a_person_approves() -> None:
    async def story(cell: Fleet) -> None:
        await cell.declare(topology="ha")
        await cell.until_ready(within_s=300)
        await remember(cell, "before")
        await cell.change(backup={"request": "now"})
        backup = "backup"
        await cell.until(lambda: cell.status().get(backup, {}).get("answered") == "now", "a snapshot is taken", 300)
        await remember(cell, "after")
        for name in ("demo-etcd-0", "demo-etcd-1"):
            host = pod(cell, name)["spec"]["nodeName"]
            cell.world.centre.host(host).wipe()
            cell.world.centre.cut_power(host)
            cell.world.centre.power_on(host)
        await cell.until(lambda: "newestSnapshot" in cell.status().get("quorumLoss", {}), "the loss is told", 1800)
        snapshot = cell.status()["quorumLoss"]["newestSnapshot"]
        await cell.change(healing={"approveRestore": snapshot})
        await cell.until_ready(within_s=HALF_AN_HOUR_S)
        assert await remembered(cell) == {"before"}

    played(story)


def test_thirty_clusters_of_one_moment_are_ready_within_minutes_and_none_is_restarted() -> None:
    async def story(cell: Fleet) -> None:
        names = [f"c{number}" for number in range(30)]
        for name in names:
            await cell.declare(name)
        await cell.until_ready(*names, within_s=600)
        restarts = [each["status"]["containerStatuses"][0]["restartCount"] for each in cell.all("Pod")]
        assert (len(restarts), sum(restarts)) == (120, 0)

    played(story)
