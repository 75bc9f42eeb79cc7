"""What of a data centre runs, asked of the world: hosts of their power supply and SSH, the cell of its API.

Nothing is read from records but the plan. What does not answer is part of the answer, never an error.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from msgspec import Struct

from homeostat.api.cluster.v1alpha1 import CLUSTER
from homeostat.api.core import DEPLOYMENT, NODE, SERVICE
from homeostat.kube.client import Client
from homeostat.kube.errors import KubeError
from homeostat.kube.target import ConfigError
from homeostat.local.datacentre import DataCentre
from homeostat.local.hosts.ports import HostError, Hosts
from homeostat.local.meta.waiting import deployment_trouble, node_trouble
from homeostat.operators.cluster.names import NAME_LABEL

PATIENCE_S = 5.0


class HostStatus(Struct, frozen=True):
    """One host: whether it has power, and what the cell says of its Node."""

    name: str
    address: str
    zone: str
    role: str
    power: str
    node: str  # Ready, the trouble, or "unknown" when the cell does not answer


class PartStatus(Struct, frozen=True):
    """One add-on or component of the cell."""

    name: str
    is_ready: bool
    message: str = ""


class ClusterLine(Struct, frozen=True):
    """One business cluster."""

    name: str
    phase: str
    endpoint: str


class EndpointLine(Struct, frozen=True):
    """One address that a load balancer gave."""

    service: str
    address: str


class CentreStatus(Struct, frozen=True):
    """All of a data centre."""

    name: str
    range: str
    api: str
    is_ready: bool
    message: str
    kubeconfig: str
    hosts: tuple[HostStatus, ...]
    parts: tuple[PartStatus, ...] = ()
    clusters: tuple[ClusterLine, ...] = ()
    endpoints: tuple[EndpointLine, ...] = ()


class _Cell(Struct, frozen=True):
    """What the cell's API told."""

    trouble: str = ""
    nodes: dict[str, str] = {}
    parts: tuple[PartStatus, ...] = ()
    clusters: tuple[ClusterLine, ...] = ()
    endpoints: tuple[EndpointLine, ...] = ()


class Rack(Protocol):
    """Gives the hosts."""

    async def hosts(self) -> Hosts:
        """The rack."""
        ...


async def status(centre: DataCentre, rack: Rack) -> CentreStatus:
    """Ask everybody at once."""
    powers, cell = await asyncio.gather(_powers(centre, await rack.hosts()), _cell(centre))
    hosts = tuple(
        HostStatus(
            place.name,
            place.address,
            place.zone,
            place.role,
            powers[place.name],
            cell.nodes.get(place.name, "unknown") if cell.trouble else cell.nodes.get(place.name, "not registered"),
        )
        for place in centre.plan.places
    )
    trouble = "; ".join(_troubles(cell, hosts))
    return CentreStatus(
        name=centre.state.name,
        range=centre.plan.range,
        api=f"https://{centre.cell.endpoint}",
        is_ready=not trouble,
        message=trouble,
        kubeconfig=str(centre.kubeconfig),
        hosts=hosts,
        parts=cell.parts,
        clusters=cell.clusters,
        endpoints=cell.endpoints,
    )


def _troubles(cell: _Cell, hosts: tuple[HostStatus, ...]) -> list[str]:
    found = [f"the cell does not answer: {cell.trouble}"] if cell.trouble else []
    found += [f"host {host.name} is {host.power}" for host in hosts if host.power != "on"]
    if not cell.trouble:
        found += [host.node for host in hosts if host.node != "Ready" and host.power == "on"]
    return found + [part.message for part in cell.parts if not part.is_ready]


async def _powers(centre: DataCentre, hosts: Hosts) -> dict[str, str]:
    found = {}
    for place in centre.plan.places:
        try:
            found[place.name] = (await hosts.state(place.name)).power.value
        except HostError:
            found[place.name] = "not installed"
    return found


async def _cell(centre: DataCentre) -> _Cell:
    if not centre.kubeconfig.is_file():
        return _Cell(trouble="it was not formed yet; run `homeostat up`")
    try:
        async with centre.client() as client, centre.clock.timeout(PATIENCE_S):
            return await _ask(centre, client)
    except (KubeError, ConfigError) as error:
        return _Cell(trouble=str(error))
    except TimeoutError:
        return _Cell(trouble=f"no answer within {PATIENCE_S:g} s")


async def _ask(centre: DataCentre, client: Client) -> _Cell:
    nodes = {node.metadata.name: node for node in (await client.list(NODE)).items}
    # Masters of business clusters are told by their Clusters.
    deployments = (await client.list(DEPLOYMENT, labels=f"!{NAME_LABEL}")).items
    services = (await client.list(SERVICE)).items
    try:
        clusters = (await client.list(CLUSTER)).items
    except KubeError:
        clusters = []  # the definitions are not there yet; the missing operator among the parts tells why
    return _Cell(
        nodes={place.name: node_trouble(nodes.get(place.name), place.name) or "Ready" for place in centre.plan.places},
        parts=tuple(
            PartStatus(one.metadata.key, not (why := deployment_trouble(one, one.metadata.key)), why)
            for one in deployments
        ),
        clusters=tuple(
            ClusterLine(
                one.metadata.key,
                one.status.phase if one.status else "",
                f"https://{one.status.endpoint.host}:{one.status.endpoint.port}"
                if one.status and one.status.endpoint
                else "",
            )
            for one in clusters
        ),
        endpoints=tuple(
            EndpointLine(one.metadata.key, one.status.load_balancer.ingress[0].ip)
            for one in services
            if one.status.load_balancer.ingress
        ),
    )
