"""A rack of hosts for tests: a network of its own, an engine, and shells on what stands in it.

`Rack` is what the contract suite of the port knows; an engine that makes hosts another way brings another one.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
from pathlib import Path
from typing import Protocol

from homeostat.kit.clock import Clock, SystemClock
from homeostat.local.base import ensure_base
from homeostat.local.hosts.nodes import node_files
from homeostat.local.hosts.ports import Hosts, HostSpec
from homeostat.local.hosts.runc_hosts import RuncHosts
from homeostat.local.hosts.shell import Shell
from homeostat.local.network import Network
from homeostat.local.paths import Paths
from homeostat.local.plan import Place, plan

# Far from those that data centres take first; each of several processes that share the tests has its own.
INDEX = 90 + int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))


class Rack(Protocol):
    """An engine's hosts, ready for tests."""

    @property
    def hosts(self) -> Hosts:
        """The port."""
        ...

    def spec(self, number: int = 0) -> HostSpec:
        """The declaration of the first or second host."""
        ...

    def shell(self, spec: HostSpec, host_key: str) -> Shell:
        """Root's shell on a host, pinned to a key. Close it."""
        ...


class RuncRack:
    """The rack of this machine."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.clock: Clock = SystemClock()
        self.plan = plan(f"t{os.getpid()}", INDEX, 1)
        self.network = Network(self.plan, clock=self.clock)
        self._key = directory / "key"
        self.base = Path()

    def raise_up(self) -> None:
        """Base, key and network."""
        command = ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self._key))
        subprocess.run(command, check=True, capture_output=True)
        paths = Paths.from_environment(os.environ)
        self.base = asyncio.run(ensure_base(paths.bases, clock=self.clock))
        asyncio.run(self.network.up())

    def take_down(self) -> None:
        """Everything."""
        asyncio.run(self.rack().destroy_all())
        asyncio.run(self.network.down())

    @property
    def hosts(self) -> Hosts:
        """The port."""
        return self.rack()

    def rack(self, clock: Clock | None = None) -> RuncHosts:
        """The engine, perhaps on a clock of the test's own."""
        public = self._key.with_suffix(".pub").read_text()
        return RuncHosts(self.directory / "hosts", self.base, public, clock=clock or self.clock)

    def spec(self, number: int = 0) -> HostSpec:
        """The declaration of the first or second host."""
        place: Place = self.plan.places[number]
        return HostSpec(
            name=place.name,
            address=place.address,
            prefix=self.plan.prefix,
            gateway=self.plan.gateway,
            bridge=self.plan.bridge,
            veth=place.veth,
            zone=place.zone,
            role=place.role,
            routes=self.plan.routes_of(place),
            names={peer.name: peer.address for peer in self.plan.places if peer != place},
            files=tuple(node_files(place)),
        )

    def shell(self, spec: HostSpec, host_key: str) -> Shell:
        """Root's shell on a host, pinned to a key."""
        return Shell(spec.name, spec.address, host_key, self._key, clock=self.clock)
