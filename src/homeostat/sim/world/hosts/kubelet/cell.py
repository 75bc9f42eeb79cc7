"""What all kubelets of one cell share: the way to its API server, its sources, and the programs that may run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from homeostat.kube.client import Client
from homeostat.runtime.informer import Informer
from homeostat.runtime.queue import Priority
from homeostat.sim.world.hosts.containers import Container, Endless, Program, Programs
from homeostat.sim.world.hosts.datacentre import DataCentre
from homeostat.sim.world.hosts.disks import Shelf
from homeostat.sim.world.hosts.kubelet.sources import Sources
from homeostat.sim.world.hosts.kubelet.spec import HostVolume

T = TypeVar("T")


class Cell:
    """One API server with the hosts that belong to it."""

    def __init__(
        self,
        client: Client,
        centre: DataCentre,
        programs: Programs,
        sources: Sources,
        volumes: Informer[HostVolume],
    ) -> None:
        self.client = client
        self.centre = centre
        self.sources = sources
        self.volumes = volumes
        self.clock, self.random, self.times, self.registry = centre.clock, centre.random, centre.times, centre.registry
        self._programs = programs
        self._homes: dict[str, Shelf] = {}  # of volumes, by uid
        volumes.add_handler(self._volume_changed)

    def start(self, container: Container, changed: Callable[[], None]) -> Program:
        """The program of a command."""
        start = self._programs.get(container.command[0].rpartition("/")[2]) if container.command else None
        return start(container, changed) if start is not None else Endless()

    def spawn(self, what: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
        """Let something happen in the data centre."""
        return self.centre.spawn(what, name)

    def home(self, uid: str, shelf: Shelf | None) -> Shelf:
        """Where a volume lies: where it lay first, on that host's shelf or, if that is None, beyond all hosts."""
        return self._homes.setdefault(uid, self.centre.network_disks if shelf is None else shelf)

    def _volume_changed(self, old: HostVolume | None, new: HostVolume | None, priority: Priority) -> None:  # noqa: ARG002
        """A volume that is deleted takes its data along."""
        if old is None or (new is not None and new.metadata.uid == old.metadata.uid):
            return
        shelf = self._homes.pop(old.metadata.uid, None)
        if shelf is not None:
            shelf.drop(old.metadata.uid)
