"""Waiting for the cell, by asking it; what is still missing is in every report and in the error of a timeout."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection

from homeostat.api.core import DEPLOYMENT, NODE, SERVICE, Deployment, Node, Service
from homeostat.kube.client import Client
from homeostat.kube.errors import KubeError
from homeostat.local.meta.forming import Host
from homeostat.local.steps import Report

POLL_S = 0.5
# Each connection goes to an endpoint by chance: that one of two is stale escapes these once in 1024 times.
CONNECTIONS = 10


class NotYet(Exception):
    """What was awaited did not happen in time; the message tells what was still missing."""


async def wait_for_api(client: Client, report: Report, timeout_s: float = 240.0) -> None:
    """Wait until the API server says that it is ready."""

    async def missing() -> str:
        await client.request("GET", "/readyz")
        return ""

    await _wait(client, report, timeout_s, missing)


async def wait_for_nodes(client: Client, names: Collection[str], report: Report, timeout_s: float = 180.0) -> None:
    """Wait until these Nodes are there and Ready."""

    async def missing() -> str:
        nodes = {node.metadata.name: node for node in (await client.list(NODE)).items}
        return "; ".join(why for name in sorted(names) if (why := node_trouble(nodes.get(name), name)))

    await _wait(client, report, timeout_s, missing)


async def wait_for_deployments(
    client: Client, names: Collection[str], report: Report, timeout_s: float = 240.0
) -> None:
    """Wait until these Deployments (namespace/name) run what they declare, on all replicas."""

    async def missing() -> str:
        found = {one.metadata.key: one for one in (await client.list(DEPLOYMENT)).items}
        return "; ".join(why for name in sorted(names) if (why := deployment_trouble(found.get(name), name)))

    await _wait(client, report, timeout_s, missing)


async def wait_for_services(
    client: Client, host: Host, names: Collection[str], report: Report, timeout_s: float = 120.0
) -> None:
    """Wait until these Services (namespace/name) take connections on all TCP ports, seen from a host of the cell.

    Statuses do not tell: after a reboot of the machine they are what they were before it, until controllers lead
    again, and Services go on naming the Pods' addresses of before.
    """

    async def missing() -> str:
        found = {one.metadata.key: one for one in (await client.list(SERVICE)).items}
        return "; ".join(
            [why for name in sorted(names) if (why := await _service_trouble(host, found.get(name), name))]
        )

    await _wait(client, report, timeout_s, missing)


async def _service_trouble(host: Host, one: Service | None, name: str) -> str:
    """Why a Service does not take connections; empty when it does."""
    if one is None:
        return f"Service {name} is not there"
    for port in (port.port for port in one.spec.ports if port.protocol == "TCP"):
        if (await host.run(connections(one.spec.cluster_ip, port), check=False)).stdout.strip() != "taken":
            return f"Service {name}: not every connection to {one.spec.cluster_ip}:{port} is taken"
    return ""


def connections(address: str, port: int) -> str:
    """A shell command that prints `taken` when CONNECTIONS connections in a row were."""
    each = f"timeout 1 bash -c '</dev/tcp/{address}/{port}' 2>/dev/null || exit 0"
    return f"for _ in $(seq {CONNECTIONS}); do {each}; done; echo taken"


def node_trouble(node: Node | None, name: str) -> str:
    """Why a Node is not Ready; empty when it is."""
    if node is None:
        return f"Node {name} is not registered"
    for condition in node.status.conditions:
        if condition.type == "Ready":
            return "" if condition.status == "True" else f"Node {name}: {condition.reason}: {condition.message}"
    return f"Node {name} has no condition Ready"


def deployment_trouble(one: Deployment | None, name: str) -> str:
    """Why a Deployment is not complete; empty when it is."""
    if one is None:
        return f"Deployment {name} is not there"
    wanted, status = one.spec.replicas, one.status
    if status.observed_generation < one.metadata.generation:
        return f"Deployment {name}: not seen by its controller yet"
    if status.updated_replicas < wanted or status.available_replicas < wanted:
        return f"Deployment {name}: {status.available_replicas}/{wanted} available"
    return ""


async def _wait(client: Client, report: Report, timeout_s: float, missing: Callable[[], Awaitable[str]]) -> None:
    clock = client.clock
    until = clock.monotonic() + timeout_s
    while True:
        try:
            why = await missing()
        except KubeError as error:
            why = str(error)
        if not why:
            return
        report.update(why)
        if clock.monotonic() >= until:
            raise NotYet(f"after {timeout_s:.0f} s: {why}")
        await clock.sleep(POLL_S)
