"""Whether a host of the cell is away, as it was seen and by the API's own word: its kubelet ends no Pod then."""

from __future__ import annotations

from homeostat.api.core import NODE
from homeostat.kube.client import Client
from homeostat.kube.errors import NotFound
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.topology import is_ready


def is_host_away(seen: Observed, host: str) -> bool:
    """Whether a host is not ready, or not there. Where no host is known nothing is said."""
    found = seen.hosts.get(host)
    return bool(host and seen.hosts) and (found is None or not found.is_ready)


async def is_host_ready(client: Client, host: str) -> bool:
    """Whether it is, by the API's own word: what is on it can be had, and its kubelet ends Pods."""
    try:
        return is_ready(await client.get(NODE, host))
    except NotFound:
        return False
