"""What can be done to a fleet by its owners, by its hosts and to its operator: each deed by its name.

None of them fails: what the API server refuses is refused, and whom there is not, nothing happens to. What an owner
does to a cluster that is no more is no deed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from tests.support.chaos.event import Event
from tests.support.chaos.operating import Operators
from tests.support.fleets import KINDS, Fleet, Whole

from homeostat.api.core import NODE
from homeostat.api.kind import unstructured
from homeostat.kube.errors import ApiError
from homeostat.operators.cluster.names import API_PORT, COMPONENT_LABEL, NAME_LABEL
from homeostat.sim.world.faults.fault import FaultError
from homeostat.sim.world.network.network import OUTSIDE, Refused, Silent

_NODES = unstructured(NODE.resource)
_CONTROLLER_PORTS = {"kube-apiserver": API_PORT, "etcd": 2379}


class Lived(Protocol):
    """The fleet that something is done to."""

    fleet: Fleet
    operators: Operators

    def write(self, cluster: str) -> None:
        """Let a client of a business cluster write something."""

    def lose(self, host: str) -> None:
        """Know that what was on a host's disks is lost."""


async def declare(life: Lived, event: Event) -> None:
    """A Cluster of that name, unless there is one."""
    await life.fleet.declare(event.on, **event.what)


async def delete(life: Lived, event: Event) -> None:
    await life.fleet.delete(event.on)


async def change(life: Lived, event: Event) -> None:
    """Other fields of the spec."""
    await life.fleet.change(event.on, **event.what)


async def write(life: Lived, event: Event) -> None:
    """A client writes to a business cluster; with no name, one to each."""
    for name in (event.on,) if event.on else [each["metadata"]["name"] for each in life.fleet.all("Cluster")]:
        life.write(name)


async def fault(life: Lived, event: Event) -> None:
    """One of the catalogue; on a host or a group, with its parameters, for `for_s` if it lasts."""
    parameters = {key: value for key, value in event.what.items() if key not in ("fault", "for_s")}
    name = event.what["fault"]
    if name == "disk-lost":
        life.lose(event.on)
    try:
        life.fleet.world.faults.begin(name, event.on, parameters, event.what.get("for_s"))
    except FaultError:
        return  # it runs no such Pod now


async def delete_pod(life: Lived, event: Event) -> None:
    """Somebody deletes the Pod that is at this place among those of a component."""
    pod = _pod(life, event)
    if pod is not None:
        await life.fleet.client.delete(KINDS["Pod"], pod["metadata"]["name"], "default")


async def hang(life: Lived, event: Event) -> None:
    """A master keeps its port open, and answers nobody, until its Pod ends."""
    pod = _pod(life, event)
    if pod is None:
        return
    port = _CONTROLLER_PORTS[event.what["component"]]
    try:
        program: Any = life.fleet.world.network.at(OUTSIDE, pod.get("status", {}).get("podIP", ""), port)
    except (Refused, Silent):
        return
    program.is_hung = True
    program._changed()


async def remove(life: Lived, event: Event) -> None:
    """Somebody deletes what the operator made for a cluster: its kind, and its name behind the cluster's."""
    name = f"{event.on}-{event.what['name']}"
    await life.fleet.client.delete(KINDS[event.what["kind"]], name, "default")


async def edit(life: Lived, event: Event) -> None:
    """Somebody edits what the operator made for a cluster."""
    name = f"{event.on}-{event.what['name']}"
    await life.fleet.client.merge_patch(KINDS[event.what["kind"]], name, event.what["patch"], "default")


async def cordon(life: Lived, event: Event) -> None:
    """A host takes no more Pods, or takes them again."""
    patch = {"spec": {"unschedulable": event.what["closed"]}}
    await life.fleet.client.merge_patch(_NODES, event.on, patch)


async def operator_dies(life: Lived, event: Event) -> None:
    life.operators.die(event.what["for_s"])


async def operator_overlaps(life: Lived, _: Event) -> None:
    life.operators.overlap()


async def api_trouble(life: Lived, event: Event) -> None:
    """The cell's API server is no good to the operator for a while."""
    life.operators.meet(event.what["trouble"], event.what["for_s"])


async def approve(life: Lived, event: Event) -> None:
    """A person lets a lost etcd be restored from the snapshot that is told of; twice said, it counts."""
    newest = life.fleet.status(event.on).get("quorumLoss", {}).get("newestSnapshot", "")
    if newest:
        await life.fleet.change(event.on, healing={"approveRestore": ""})
        await life.fleet.change(event.on, healing={"approveRestore": newest})


DEEDS: Mapping[str, Callable[[Lived, Event], Awaitable[None]]] = {
    each.__name__.replace("_", "-"): each
    for each in (
        *(declare, delete, change, write, fault, delete_pod, hang, remove, edit, cordon),
        *(operator_dies, operator_overlaps, api_trouble, approve),
    )
}


async def do(life: Lived, event: Event) -> None:
    """Do it; what the API server says to that is its business."""
    try:
        await DEEDS[event.deed](life, event)
    except ApiError:
        return


def masters(fleet: Fleet, cluster: str, component: str) -> list[Whole]:
    """The Pods of a component, by name."""
    found = [pod for pod in fleet.all("Pod") if (pod["metadata"].get("labels") or {}).get(NAME_LABEL) == cluster]
    return [pod for pod in found if pod["metadata"]["labels"].get(COMPONENT_LABEL) == component]


def _pod(life: Lived, event: Event) -> Whole | None:
    found = masters(life.fleet, event.on, event.what["component"])
    return found[event.what["at"] % len(found)] if found else None
