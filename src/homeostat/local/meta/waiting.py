"""Waiting for the cell, by asking it; what is still missing is in every report and in the error of a timeout."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection

from homeostat.api.core import DEPLOYMENT, NODE, Deployment, Node
from homeostat.kube.client import Client
from homeostat.kube.errors import KubeError
from homeostat.local.steps import Report

POLL_S = 0.5


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
