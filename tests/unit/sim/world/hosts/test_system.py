"""What a simulated host's system has to do with what ails the host, and with what its Pods run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from homeostat.kit.clock import Clock
from homeostat.kit.random import Random
from homeostat.operators.machine.ports import Refused, UnitState, Unreachable
from homeostat.sim.time.running import run
from homeostat.sim.world.hosts.ailing import Ail
from homeostat.sim.world.hosts.datacentre import DataCentre
from homeostat.sim.world.hosts.host import Process
from homeostat.sim.world.hosts.laying_out import lay_out
from homeostat.sim.world.hosts.system.packages import Package

NAME, NOTE = "host-a1", "/etc/note"
Story = Callable[[DataCentre], Coroutine[Any, Any, None]]


def played(story: Story) -> None:
    """On a data centre of one host, which runs."""

    async def main(clock: Clock, random: Random) -> None:
        centre = DataCentre(lay_out(1), clock=clock, random=random)
        centre.start_all()
        await story(centre)

    run(main)


@pytest.mark.parametrize(
    ("ail", "why"), [(Ail.DISK_FULL, "No space left on device"), (Ail.DISK_READ_ONLY, "Read-only file system")]
)
def test_a_disk_that_takes_nothing_says_so_in_the_kernels_words_and_keeps_what_is_there(ail: Ail, why: str) -> None:
    async def story(centre: DataCentre) -> None:
        system = centre.system(NAME)
        await system.write(NOTE, b"old")
        centre.sources.offer(Package("echo", "1.0"))
        centre.host(NAME).ailments.begin(ail)
        with pytest.raises(Refused, match=why):
            await system.write(NOTE, b"new")
        with pytest.raises(Refused, match=why):
            await system.install("echo", "1.0")
        assert await system.read(NOTE) == b"old"
        assert await system.packages() == {}

    played(story)


@pytest.mark.parametrize(("unit", "ail"), [("kubelet.service", Ail.KUBELET), ("containerd.service", Ail.RUNTIME)])
def test_who_stops_what_pods_need_ails_the_host_until_it_is_started(unit: str, ail: Ail) -> None:
    async def story(centre: DataCentre) -> None:
        system, ailments = centre.system(NAME), centre.host(NAME).ailments
        await system.stop(unit)
        assert ailments.has(ail)
        await system.start(unit)
        assert not ailments.has(ail)

    played(story)


def test_a_kubelet_that_a_fault_has_stopped_is_seen_as_failed_and_mended_by_a_start() -> None:
    async def story(centre: DataCentre) -> None:
        system, ailments = centre.system(NAME), centre.host(NAME).ailments
        ailments.begin(Ail.KUBELET)
        seen = await system.unit("kubelet.service")
        assert seen is not None
        assert seen.state is UnitState.FAILED
        await system.start("kubelet.service")
        assert not ailments.has(Ail.KUBELET)

    played(story)


def test_what_runs_in_a_container_is_a_process_that_can_be_killed() -> None:
    async def story(centre: DataCentre) -> None:
        killed: list[tuple[int, str]] = []
        process = Process("default/web", "main", lambda code, why: killed.append((code, why)))
        centre.host(NAME).processes["one"] = process
        (found,) = [each for each in await centre.system(NAME).processes() if each.command == "main"]
        await centre.system(NAME).kill(found.pid)
        assert killed == [(137, "Error")]

    played(story)


def test_a_host_that_goes_while_a_package_is_installed_leaves_it_open_and_nothing_is_half_there() -> None:
    async def story(centre: DataCentre) -> None:
        system = centre.system(NAME)
        centre.sources.offer(Package("echo", "1.0"))
        await system.write(NOTE, b"kept")
        installing = _soon(centre, lambda: centre.cut_power(NAME))
        with pytest.raises(Unreachable, match="the connection broke"):
            await system.install("echo", "1.0")
        await installing
        centre.start_all()
        assert await system.packages() == {}
        assert await system.read(NOTE) == b"kept"

    played(story)


def test_a_host_that_is_cut_off_meanwhile_does_it_and_nobody_hears_of_it() -> None:
    async def story(centre: DataCentre) -> None:
        system, ends = centre.system(NAME), []
        centre.sources.offer(Package("echo", "1.0"))
        cutting = _soon(centre, lambda: ends.append(centre.host(NAME).ailments.begin(Ail.NETWORK)))
        with pytest.raises(Unreachable):
            await system.install("echo", "1.0")
        await cutting
        ends[0]()
        assert set(await system.packages()) == {"echo"}

    played(story)


def _soon(centre: DataCentre, what: Callable[[], object]) -> asyncio.Future[None]:
    async def do() -> None:
        await centre.clock.sleep(1)
        what()

    return asyncio.ensure_future(do())
