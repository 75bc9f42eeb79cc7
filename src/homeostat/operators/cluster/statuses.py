"""What the status says of each component. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from homeostat.api.cluster.components import ComponentStatus, PackageComponent
from homeostat.operators.cluster.components import replicas, workload_name
from homeostat.operators.cluster.observe import Observed, Workload
from homeostat.operators.cluster.rollout.sealing import differs
from homeostat.operators.cluster.rollout.standing import Made
from homeostat.operators.cluster.troubles import Trouble, trouble

_LONGEST = 1024  # of a component's message, as the CRD says


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
