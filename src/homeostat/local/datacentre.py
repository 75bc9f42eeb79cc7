"""One data centre: its name, its plan, where its things are, and how to talk to its cell.

`raising` makes it, `removing` removes it, `status` and `logs` tell of it; this is what they share.
"""

from __future__ import annotations

from pathlib import Path

from homeostat.kit.clock import Clock
from homeostat.kit.random import Random
from homeostat.kube.client import Client
from homeostat.kube.config import load_kubeconfig
from homeostat.kube.connect import connect
from homeostat.local import state as states
from homeostat.local.meta.kubeadm import Cell
from homeostat.local.network import networks_in_use
from homeostat.local.paths import Paths
from homeostat.local.plan import check_name, free_index, plan
from homeostat.local.state import State, StateError

DEFAULT_NAME = "homeostat"
DEFAULT_HOSTS = 3
KUBERNETES_VERSION = "1.35.4"
ETCD_VERSION = "3.6.16"  # of the meta cluster
COREDNS_VERSION = "1.14.7"
LOCAL_PATH_VERSION = "0.0.30"


class DataCentre:
    """A data centre of this machine whose choices are made."""

    def __init__(self, paths: Paths, state: State, *, clock: Clock, random: Random) -> None:
        self.paths, self.state, self.clock, self.random = paths, state, clock, random
        self.plan = plan(state.name, state.index, state.hosts)

    @property
    def directory(self) -> Path:
        """Its state."""
        return self.paths.data_centre(self.state.name)

    @property
    def kubeconfig(self) -> Path:
        """The cell's administrator; there once the cell was formed."""
        return self.directory / "kubeconfig"

    @property
    def log(self) -> Path:
        """What `homeostat up` did."""
        return self.directory / "logs" / "up.log"

    @property
    def snapshots(self) -> Path:
        """The store of its clusters' snapshots."""
        return self.directory / "snapshots"

    @property
    def snapshot_keys(self) -> Path:
        """The keys that those are encrypted with."""
        return self.directory / "snapshot-keys"

    @property
    def cell(self) -> Cell:
        """What kubeadm is told."""
        plan, state = self.plan, self.state
        return Cell(
            name=state.name,
            control_name=plan.control.name,
            control_address=plan.control.address,
            service_cidr=plan.service_range,
            dns_address=plan.dns,
            kubernetes_version=f"v{state.kubernetes_version}",
            etcd_version=ETCD_VERSION,
            token=state.token,
        )

    @property
    def kubectl(self) -> Path:
        """A kubectl of the cell's own version, for those who have none."""
        return self.directory / "bin" / "kubectl"

    def client(self) -> Client:
        """A client of the cell as its administrator. Close it."""
        config = load_kubeconfig(self.kubeconfig)
        return connect(config, clock=self.clock, random=self.random, field_manager="homeostat-local")


def find(paths: Paths, name: str, *, clock: Clock, random: Random) -> DataCentre | None:
    """The data centre of a name, if one was begun."""
    check_name(name)
    state = states.load(paths.data_centre(name))
    return DataCentre(paths, state, clock=clock, random=random) if state else None


async def begin(paths: Paths, name: str, hosts: int | None, *, clock: Clock, random: Random) -> DataCentre:
    """The data centre of a name; its choices are made and kept now if it is new. Raises StateError."""
    if found := find(paths, name, clock=clock, random=random):
        if hosts is not None and hosts != found.state.hosts:
            raise StateError(
                f"--hosts: data centre {name} was made with {found.state.hosts}, found {hosts};"
                f" remove it first (`homeostat down --name {name}`)"
            )
        return found
    with states.locked(paths.state, "indices", doing="up"):
        centre = await sketch(paths, name, hosts, clock=clock, random=random)
        states.save(paths.data_centre(name), centre.state)
    return centre


async def sketch(paths: Paths, name: str, hosts: int | None, *, clock: Clock, random: Random) -> DataCentre:
    """The data centre that `begin` would find or make; nothing is kept."""
    if found := find(paths, name, clock=clock, random=random):
        return found
    state = State(
        name=name,
        index=free_index(
            [state.index for state in states.all_states(paths.state).values()], await networks_in_use(clock)
        ),
        hosts=hosts or DEFAULT_HOSTS,
        token=states.new_token(),
        kubernetes_version=KUBERNETES_VERSION,
    )
    return DataCentre(paths, state, clock=clock, random=random)
