"""What the operator of a local cell is told of it: how many clusters to create at once, and what balances them.

Its hosts share the processors of one machine, and a cluster that is created makes use of about half of one: so twice
as many as processors keep them busy. More would not be ready any sooner, but each so slowly that its masters run into
their deadlines (an API server ends itself when it has not found etcd within 20 s) and all others answer late.

Its balancer sends clients to Pods, so endpoints need no node ports.
"""

from __future__ import annotations

from typing import Any

_FOR_EACH_PROCESSOR = 2


def at_once(processors: int) -> int:
    """How many clusters are in creation at once."""
    return _FOR_EACH_PROCESSOR * max(processors, 1)


def with_pace(one: dict[str, Any], processors: int) -> dict[str, Any]:
    """The operator's Deployment, told what fits the cell; anything else as it is."""
    if one["kind"] == "Deployment":
        for container in one["spec"]["template"]["spec"]["containers"]:
            container["command"] += [f"--max-creating={at_once(processors)}", "--no-endpoint-node-ports"]
    return one
