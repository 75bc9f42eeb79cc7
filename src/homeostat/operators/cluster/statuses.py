"""What the status says of each component, and whether a cluster is made. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from msgspec.structs import replace

from homeostat.api.cluster.components import ComponentStatus, PackageComponent
from homeostat.api.meta import Condition
from homeostat.operators.cluster import words
from homeostat.operators.cluster.components import can_serve, replicas, workload_name
from homeostat.operators.cluster.observe import Observed, Workload
from homeostat.operators.cluster.rollout.sealing import differs
from homeostat.operators.cluster.rollout.standing import Made
from homeostat.operators.cluster.troubles import Trouble, trouble
from homeostat.runtime.conditions import TRUE, find_condition, is_true

_LONGEST = 1024  # of a component's message, as the CRD says
_IN_USE = timedelta(minutes=10)  # as long as a creation counts in its line


def is_made(seen: Observed, conditions: tuple[Condition, ...], now: datetime) -> bool:
    """Whether a new cluster is no longer one: it is Ready, or has served for so long that its data is worth caring for.

    A host that died while it was made, or a scheduler that never came up, keeps it from being Ready; people who have
    its kubeconfig do not wait for that. From then on it is healed, backed up, and moved with care, as any other.
    """
    available = find_condition(conditions, words.AVAILABLE)
    since = available.last_transition_time if available is not None and available.status == TRUE else None
    is_in_use = since is not None and now >= since + _IN_USE and can_serve(seen)
    return is_in_use or is_true(conditions, words.READY)


def components(seen: Observed, at: Mapping[str, Made]) -> tuple[ComponentStatus, ...]:
    """The status of every component, as the package version that it is made of declares it; else the last known.

    One that was made anew with other content does not tell what runs.
    """
    known = {status.name: status for status in seen.cluster.status.components}
    made_of = {part.package for part in at.values()} & seen.packages.keys()
    forged = {name for name in made_of if differs(seen.cluster, seen.packages[name])}
    found = []
    for component, part in at.items():
        package = seen.packages.get(part.package)
        declared = package.spec.component(component) if package else None
        if declared is not None:
            workload = seen.workloads.get(workload_name(seen.names, component))
            if component in known and part.package in forged:
                declared = replace(declared, version=known[component].version, image=known[component].image)
            told = _status(seen, declared, workload, trouble(seen, component))
            found.append(
                replace(told, package_version=part.package, override=part.override, emulated_version=part.emulates)
            )
        elif component in known and package is None:
            found.append(known[component])
        elif component in known:  # an operator that goes; that it does is remembered until all is done
            why = trouble(seen, component)
            gone = replace(known[component], desired=0, ready=0, state=why.reason, message=why.message[:_LONGEST])
            found.append(replace(gone, package_version=part.package, override=None))
    return tuple(found)


def _status(seen: Observed, declared: PackageComponent, workload: Workload | None, why: Trouble) -> ComponentStatus:
    return ComponentStatus(
        name=declared.name,
        version=declared.version,
        image=declared.image,
        desired=replicas(seen, declared),
        ready=workload.status.ready_replicas if workload else 0,
        state=why.reason,
        message=why.message[:_LONGEST],
    )
