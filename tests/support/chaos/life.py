"""A life: a fleet goes through a schedule, is left in peace in the end, and is held to the invariants all the time.

In the end every fault is undone and every wish is made sound. Then all that is declared must become Ready, and what is
deleted must be gone without a trace; but a cluster whose data was lost waits for a person, and says so.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from msgspec import Struct
from tests.support.chaos.deeds import do
from tests.support.chaos.event import Broken, Event, Schedule
from tests.support.chaos.invariants import OF_CHANGES, POLICY, keep_in_mind
from tests.support.chaos.lasting import OF_MOMENTS
from tests.support.chaos.operating import Operators
from tests.support.chaos.watching import Observer
from tests.support.fleets import Fleet, furnish
from tests.support.simulated import CONFIG_MAPS, config_map

from homeostat.kit.clock import Clock
from homeostat.kit.pki.source import drawn_from
from homeostat.kit.random import Random
from homeostat.kube.errors import KubeError
from homeostat.operators.cluster.names import UID_LABEL
from homeostat.sim.keys import SeededKeys
from homeostat.sim.time.loop import VirtualLoop
from homeostat.sim.time.order import PROCESS, Numbered
from homeostat.sim.time.running import run
from homeostat.sim.world.world import WORLD, World

LOOK_S, WRITE_S = 5.0, 20.0
RECOVERS_S = 3 * 3600.0  # the longest back-offs, a few moves that wait for each other, and a freeze that thaws
MOST_STEPS = 400_000  # at one moment


class Told(Struct, frozen=True):
    """What a life came to."""

    digest: str
    lasted_s: float
    events: int
    written: int
    restored: int  # by the approval of a person, because a majority of disks was lost


class Life:
    """One fleet that is being lived."""

    def __init__(self, world: World, tasks: asyncio.TaskGroup) -> None:
        self._tasks, self._written = tasks, 0
        self.fleet = Fleet(world, world.client_of(WORLD, "owner"))
        self.operators = Operators(world, POLICY, tasks)
        self.observer = Observer(self.fleet, self.operators)
        self.broken: Broken | None = None
        self.restored = 0
        self.last_event: float | None = 0.0  # None: the schedule is over

    # --- what is done

    def write(self, cluster: str) -> None:
        """Let a client write to a business cluster; what is answered is remembered."""
        found = self.fleet.find("Cluster", cluster)
        if found is not None:
            self._written += 1
            self._tasks.create_task(self._write(cluster, found["metadata"]["uid"], f"word-{self._written}"))

    def lose(self, host: str) -> None:
        """The disks of a host are about to be lost."""
        self.observer.look()
        self.observer.lose(host)

    async def _write(self, cluster: str, uid: str, word: str) -> None:
        if self.fleet.find("Secret", f"{cluster}-admin-kubeconfig") is None:
            return  # who has none cannot write
        with suppress(KubeError, TimeoutError):
            async with self.fleet.clock.timeout(WRITE_S), self.fleet.tenant(cluster) as tenant:
                await tenant.create(CONFIG_MAPS, config_map(word), "default")
                self.observer.written.setdefault(uid, set()).add(word)

    # --- what is seen

    def step(self, task: Numbered[Any]) -> None:
        """Hold what has just changed to the invariants."""
        for happened in self.observer.step(task):
            for holds in OF_CHANGES:
                self._note(holds, holds(self.observer, happened))

    def look(self) -> None:
        """Hold what lasts to the invariants. Raises Broken, also for what was seen since the last look."""
        self.observer.look()
        keep_in_mind(self.observer)
        for holds in OF_MOMENTS:
            for why in holds(self.observer):
                self._note(holds, why)
        if self.broken is not None:
            if self.last_event is not None:
                self.broken.after_s = self.observer.now - self.last_event
            raise self.broken

    def _note(self, holds: Callable[..., Any], why: str) -> None:
        if why and self.broken is None:
            self.broken = Broken(holds.__name__, why, self.observer.now)

    async def until(self, at: float) -> None:
        """Let time pass, looking now and then."""
        while (left := at - self.observer.now) > 0:
            await self.fleet.clock.sleep(min(left, LOOK_S))
            self.look()

    # --- the end

    async def come_to_rest(self) -> None:
        """All is healed and wished soundly: what is declared becomes Ready. Raises Broken."""
        self.last_event = None
        await make_sound(self)
        until = self.observer.now + RECOVERS_S
        while left := unwell(self):
            if self.observer.now > until:
                raise Broken("all_recovers_when_all_is_sound", f"{', '.join(left)}\n{self.fleet.story()}", until)
            await self.until(self.observer.now + 60)
            await self._help()
        await self.until(self.observer.now + 300)
        self._leave_no_trace()

    async def _help(self) -> None:
        """What only people can do for what was lost."""
        for cluster in self.observer.clusters():
            name, told = cluster["metadata"]["name"], self.fleet.condition("EtcdReady", cluster["metadata"]["name"])
            is_lost = told.get("reason") == "QuorumLost"
            if is_lost and "newestSnapshot" in cluster.get("status", {}).get("quorumLoss", {}):
                self.observer.excused.add(cluster["metadata"]["uid"])
                self.restored += 1
                await do(self, Event(self.observer.now, "approve", name))

    def _leave_no_trace(self) -> None:
        pods = {f"default/{each['metadata']['name']}" for each in self.fleet.all("Pod")}
        for host in self.fleet.world.centre.hosts.values():
            strays = sorted(each.pod for each in host.processes.values() if each.pod not in pods)
            if strays:
                raise Broken("nothing_runs_without_a_Pod", f"{host.name}: {strays}", self.observer.now)
        uids = {each["metadata"]["uid"] for each in self.fleet.all("Cluster")}
        for volume in self.fleet.all("PersistentVolume"):
            claim = self.fleet.find("PersistentVolumeClaim", volume["spec"]["claimRef"]["name"])
            if claim is None or claim["metadata"].get("labels", {}).get(UID_LABEL) not in uids:
                raise Broken("no_volume_is_left", volume["metadata"]["name"], self.observer.now)


async def make_sound(life: Life) -> None:
    """Undo every fault, and let every owner wish what can be had."""
    world, fleet = life.fleet.world, life.fleet
    world.faults.end()
    for host in world.centre.hosts.values():
        world.centre.power_on(host.name)
        await do(life, Event(0, "cordon", host.name, {"closed": False}))
    for cluster in life.observer.clusters():
        name, status = cluster["metadata"]["name"], cluster.get("status", {})
        rotations = cluster["spec"].get("keys", {}).get("rotations", {})
        upgrade = cluster["spec"].get("upgradePolicy", {})
        sound: dict[str, Any] = {
            "paused": False,
            "healing": {"paused": False},
            "deletionProtection": False,
            "overrides": [],
            "keys": {"released": rotations},
            "packageVersion": status.get("packageVersion") or "v1.35.4",
            "upgradePolicy": {"attempt": upgrade.get("attempt", 0) + 1},
        }
        await do(life, Event(0, "change", name, sound))
    for cluster in fleet.all("Cluster"):
        if "deletionTimestamp" in cluster["metadata"]:
            await do(life, Event(0, "change", cluster["metadata"]["name"], {"deletionProtection": False}))


def unwell(life: Life) -> list[str]:
    """The Clusters that are not as they are to be in the end: Ready, gone, or lost and saying so."""
    left = []
    for cluster in life.fleet.all("Cluster"):
        name, uid = cluster["metadata"]["name"], cluster["metadata"]["uid"]
        conditions = {each["type"]: each for each in cluster.get("status", {}).get("conditions", ())}
        is_lost = uid in life.observer.excused and "newestSnapshot" not in cluster.get("status", {}).get(
            "quorumLoss", {"newestSnapshot": ""}
        )
        tells = conditions.get("EtcdReady", {}).get("reason") == "QuorumLost"
        if "deletionTimestamp" in cluster["metadata"] or not (life.fleet.is_ready(name) or (is_lost and tells)):
            left.append(name)
    return left


def live(schedule: Schedule, *, seed: int = 0, until: float = 0.0, rests: bool = True) -> Told:
    """Live it, until so many seconds or the last event, and come to rest (or not). Raises Broken."""

    async def main(clock: Clock, random: Random) -> Told:
        with drawn_from(SeededKeys(random)):
            return await _lived(clock, random, schedule, until, rests=rests)

    return run(main, seed=seed, most_steps=MOST_STEPS)


async def _lived(clock: Clock, random: Random, schedule: Schedule, until: float, *, rests: bool) -> Told:
    async with _begun(clock, random) as life:
        for event in sorted(schedule, key=lambda each: each.at):
            await life.until(event.at)
            life.last_event = event.at
            await do(life, event)
        await life.until(until)
        if rests:
            await life.come_to_rest()
        written = sum(map(len, life.observer.written.values()))
        told = f"{life.fleet.world.server.store.revision} {clock.now()} {written} {random.random()}"
        return Told(hashlib.sha256(told.encode()).hexdigest(), life.observer.now, len(schedule), written, life.restored)


@asynccontextmanager
async def _begun(clock: Clock, random: Random) -> AsyncIterator[Life]:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    PROCESS.set("owner")
    world = World(clock=clock, random=random)
    await furnish(world.client_of(WORLD, "test"))
    async with asyncio.TaskGroup() as tasks:
        name = PROCESS.set("world")
        running = tasks.create_task(world.run(), name="world")
        PROCESS.reset(name)
        await world.centre.runs.wait()
        life = Life(world, tasks)
        loop.on_step = life.step
        life.operators.start()
        try:
            yield life
        finally:
            loop.on_step = lambda _: None
            life.operators.end()
            running.cancel()
