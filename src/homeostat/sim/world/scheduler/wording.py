"""Why a Pod has no Node, in the words of kube-scheduler: operators read them in a condition, people in an Event."""

from __future__ import annotations

from collections.abc import Mapping

from homeostat.sim.world.scheduler.choosing import Unfit
from homeostat.sim.world.scheduler.preempting import Futile

# What the plugin for dynamic resources says of every Pod, whether it has such claims or not.
_NO_CLAIMS = "no new claims to deallocate"
NO_NODES = "no nodes available to schedule pods"


def told(unfit: Unfit, futile: Futile | None) -> str:
    """All reasons by how many Nodes have them; then why sending others away did not help either."""
    if not unfit.nodes:
        return NO_NODES
    text = f"0/{unfit.nodes} nodes are available: {unfit.unready or _reasons(unfit.counts())}."
    if futile is None:
        return text
    why = futile.why or f"0/{unfit.nodes} nodes are available: {_reasons(futile.counts)}."
    return f"{text} {_NO_CLAIMS}, preemption: {why}"


def _reasons(counts: Mapping[str, int]) -> str:
    return ", ".join(sorted(f"{count} {reason}" for reason, count in counts.items() if count))
