"""homeostat's own runtime as an operator uses it: manager, informer, queue with priorities, workers, one status write.

The types are slim, as everywhere in homeostat: metadata without managedFields, and the fields that are read.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from msgspec import Struct

import homeostat.kube.http  # noqa: F401  (what is imported lazily belongs to loading, not to listing)
from benchmarks.contenders.protocol import Conversation, Figures
from benchmarks.machines import GROUP, NAMESPACE, PLURAL, VERSION
from homeostat.api.kind import Kind, Resource
from homeostat.api.meta import Condition, ObjectMeta
from homeostat.api.pods import POD
from homeostat.kit.clock import SystemClock
from homeostat.kit.random import system_random
from homeostat.kube.client import Client
from homeostat.kube.config import load_kubeconfig
from homeostat.kube.connect import connect
from homeostat.runtime.conditions import set_condition
from homeostat.runtime.controller import Controller
from homeostat.runtime.informer import Informer
from homeostat.runtime.manager import Manager
from homeostat.runtime.outcome import DONE, Outcome
from homeostat.runtime.queue import Priority
from homeostat.runtime.status import write_status
from homeostat.telemetry.logs import configure

KIND, KUBECONFIG, RUN = sys.argv[1:4]
WORKERS = 16


class MachineSpec(Struct, frozen=True, rename="camel", gc=False):
    """What the reconciler could look at."""

    zone: str = ""
    package_version: str = ""
    note: str = ""


class MachineStatus(Struct, frozen=True, rename="camel", omit_defaults=True):
    """What the reconciler writes."""

    observed_generation: int = 0
    observed_by: str = ""
    conditions: tuple[Condition, ...] = ()


class Machine(Struct, frozen=True):
    """A machine as homeostat reads it."""

    metadata: ObjectMeta
    spec: MachineSpec = MachineSpec()
    status: MachineStatus = MachineStatus()


MACHINE = Kind(Resource(GROUP, VERSION, "Machine", PLURAL), Machine)
figures = Figures()
talk = Conversation(figures)
clock = SystemClock()


def count(old: Any, new: Any, priority: Priority) -> None:  # noqa: ARG001  (the shape of a handler)
    """Count deliveries, as every contender does."""
    if priority is Priority.INITIAL:
        figures.objects += 1
    else:
        figures.events += 1


class Machines:
    """The reconciler of machines."""

    def __init__(self, client: Client, informer: Informer[Machine], controller: Controller[str]) -> None:
        self.client, self.informer, self.controller = client, informer, controller

    async def reconcile(self, key: str) -> Outcome:
        """Bring status.observedGeneration to metadata.generation with one status write."""
        figures.reconciles += 1
        machine = self.informer.store.get(key)
        if machine is None or not talk.reconciling:
            return DONE
        generation = machine.metadata.generation
        if machine.status.observed_generation == generation and machine.status.observed_by == RUN:
            return DONE
        conditions = set_condition(
            machine.status.conditions,
            "Ready",
            True,
            "Observed",
            f"observed by {RUN}",
            generation=generation,
            now=clock.now(),
        )
        status = MachineStatus(observed_generation=generation, observed_by=RUN, conditions=conditions)
        written = await write_status(self.client, MACHINE, machine, status)
        if written is not None:
            self.controller.writes.note(key, self.informer.store, written.metadata.resource_version)
            figures.writes += 1
        return DONE


async def only_count(key: str) -> Outcome:  # noqa: ARG001  (the shape of a reconcile)
    """The reconciler of Pods."""
    figures.reconciles += 1
    return DONE


async def follow(client: Client) -> None:
    """Run a manager with one informer and one controller until killed."""
    random = system_random()
    manager = Manager(clock=clock, random=random)
    informer: Informer[Any]
    if KIND == "pods":
        informer = manager.informer(client, POD)
        controller = Controller("bench", only_count, clock=clock, random=random, workers=WORKERS)
    else:
        informer = manager.informer(client, MACHINE, namespace=NAMESPACE)

        async def reconcile(key: str) -> Outcome:
            return await machines.reconcile(key)

        controller = Controller("bench", reconcile, clock=clock, random=random, workers=WORKERS)
        machines = Machines(client, informer, controller)
    informer.add_handler(count)
    controller.watch(informer)
    manager.add(controller)

    async def tell_when_synced() -> None:
        await informer.synced.wait()
        figures.synced = True
        await asyncio.Event().wait()

    manager.add_task("synced", tell_when_synced)
    await manager.run(asyncio.Event())


async def main() -> None:
    """Wait for the word, then follow."""
    configure(clock=clock, level="warning")
    loop = asyncio.get_running_loop()
    go = asyncio.Event()

    def start() -> None:
        loop.call_soon_threadsafe(go.set)

    async with connect(load_kubeconfig(KUBECONFIG), clock=clock, random=system_random()) as client:
        talk.begin(start)
        await go.wait()
        await follow(client)


if __name__ == "__main__":
    asyncio.run(main())
