"""Whether it is for a host that a component is not well: then its version is not to blame, and its time stands. Pure.

A host that dies in the middle of a move takes a master with it. Healing brings that back elsewhere, or the host comes
back, and only then can be judged what the master moved to. So the time of a step begins anew for as long as all that
fails of a component, or of what it needs, is for hosts that are away. What fails on a host that is well counts.

It begins anew as well while what moved last is well, and another master is awaited: should it fall ill then, or the
endpoint not answer when the host is back, that says nothing of the time before.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec.structs import replace

from homeostat.api.cluster.masters import API_SERVER
from homeostat.api.cluster.upgrades import ClusterUpgradeStatus
from homeostat.api.pods import Pod
from homeostat.operators.cluster.components import is_ready, pods_of, serves
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.rollout.order import foundations
from homeostat.operators.cluster.rollout.path import Stand

_OFTEN = timedelta(seconds=10)  # how far the time that is told may be behind


def awaited_host(seen: Observed, stand: Stand, component: str) -> str:
    """The host that is away and keeps a component, or the endpoint, from being well; empty: there is none."""
    if not is_ready(seen, component) and (host := away(seen, component)):
        return host
    needs = dict.fromkeys((*foundations(stand.packages[stand.to], component), API_SERVER))
    return next((host for each in needs if not serves(seen, each) and (host := away(seen, each))), "")


def counts_from(upgrade: ClusterUpgradeStatus) -> datetime | None:
    """Since when the master that moved last has had its time."""
    times = [each for each in (upgrade.component_started_at, upgrade.counted_from) if each is not None]
    return max(times, default=None)


def counted(upgrade: ClusterUpgradeStatus, now: datetime) -> ClusterUpgradeStatus:
    """The same while a host is awaited: written now and then, so that the time outlives this process."""
    known = upgrade.counted_from
    if known is not None and now < known + _OFTEN:
        return upgrade
    return replace(upgrade, counted_from=now)


def away(seen: Observed, component: str) -> str:
    """The host for which alone replicas of a component are not ready; empty: one of them fails by itself, or none."""
    unready = [pod for pod in pods_of(seen, component) if not pod.is_ready]
    lost = [host for host in seen.hosts if not seen.hosts[host].is_ready]
    gone = [pod.spec.node_name for pod in unready if _is_away(seen, pod)]
    staying = [pod for pod in unready if pod.metadata.deletion_timestamp is None and not _is_away(seen, pod)]
    if any(pod.spec.node_name for pod in staying):
        return ""
    # One that finds no host waits for those that are away.
    return next(iter((*gone, *(lost if staying else ()))), "")


def _is_away(seen: Observed, pod: Pod) -> bool:
    """Whether a Pod stands on a host of which nobody hears; one that is not known is not taken for one."""
    host = seen.hosts.get(pod.spec.node_name)
    return host is not None and not host.is_ready
