"""Which Pods go when there are too many: those that would be missed least, as Kubernetes orders them. Pure.

Restarts of containers are not looked at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from homeostat.sim.world.controllers.workloads.pods import ready_since
from homeostat.sim.world.kinds.pods import Pod

_COST = "controller.kubernetes.io/pod-deletion-cost"
_PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}


def surplus(pods: Sequence[Pod], number: int, beside: Iterable[Pod], now: datetime) -> list[Pod]:
    """So many Pods to end. `beside` are all Pods of the same purpose: where there are many of them, one goes first."""
    crowd = Counter(pod.spec.node_name for pod in beside if pod.spec.node_name)

    def worth(pod: Pod) -> tuple[object, ...]:
        since, born = ready_since(pod) if pod.is_ready else None, pod.metadata.creation_timestamp
        return (
            bool(pod.spec.node_name),
            _PHASES.get(pod.status.phase, 0),
            pod.is_ready,
            _cost(pod),
            -crowd[pod.spec.node_name],
            _age(since, now),
            _age(born, now),
            pod.metadata.uid,
        )

    return sorted(pods, key=worth)[:number]


def _cost(pod: Pod) -> int:
    text = pod.metadata.annotations.get(_COST, "0")
    return int(text) if text.lstrip("-").isdecimal() else 0


def _age(since: datetime | None, now: datetime) -> int:
    """On a scale of powers of two, so that chance has its part among those of about the same age."""
    return max(int((now - since).total_seconds()), 0).bit_length() if since is not None else 0
