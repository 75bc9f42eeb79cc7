"""What `upgrade` and `rollback` share, and in part all commands about a Cluster: the Cluster, the plan and the wait."""

from __future__ import annotations

from typing import Any

from homeostat.api.cluster.masters import API_SERVER
from homeostat.api.cluster.v1alpha1 import CLUSTER, CLUSTER_PACKAGE_VERSION, Cluster
from homeostat.api.kind import unstructured
from homeostat.cli.awaiting import Awaited, condition, wait_until_met
from homeostat.cli.exits import CliError, Exit
from homeostat.cli.session import Session
from homeostat.operators.cluster import words
from homeostat.operators.cluster.rollout.emulation import EMULATING
from homeostat.operators.cluster.rollout.foreseen import Foreseen, foresee, lost
from homeostat.operators.cluster.rollout.path import Stand
from homeostat.operators.cluster.rollout.versions import version_of

_HOPELESS = (
    words.UPGRADE_REFUSED,
    words.OVERRIDE_REFUSED,
    words.UPGRADE_FAILED,
    words.ROLLED_BACK,
    words.PACKAGE_NOT_FOUND,
    words.PACKAGE_CHANGED,
)


async def read(session: Session, name: str) -> Cluster:
    """The Cluster. Raises NotFound."""
    return await session.client.get(CLUSTER, name, session.namespace)


async def plan(session: Session, cluster: Cluster) -> Foreseen:
    """What becomes of a Cluster as it is declared, by the operator's own rules. Raises CliError when they refuse it."""
    listed = await session.client.list(CLUSTER_PACKAGE_VERSION)
    packages = {each.metadata.name: each for each in listed.items}
    name, to = cluster.metadata.name, cluster.spec.package_version
    if to not in packages:
        known = ", ".join(sorted(packages)) or "none"
        raise CliError(
            f"clusterpackageversion {to}: there is none of that name", Exit.NOT_FOUND, remedy=f"known: {known}"
        )
    if gone := lost(cluster, packages):
        raise CliError(f"clusterpackageversion {gone[0]}, of which masters are made: not found", Exit.NOT_FOUND)
    found = foresee(cluster, packages)
    if found.refused:
        raise CliError(f"cluster {name}: {found.refused}", Exit.REFUSED, remedy=_ask_again(cluster, found.refused))
    return found


def _ask_again(cluster: Cluster, why: str) -> str:
    """What helps who moved kubelets since they were asked."""
    if not why.startswith("there are kubelets"):
        return ""
    path = "spec.packageVersion"
    return f"they were asked within the hour; set {path} to {cluster.spec.package_version} to have them asked now"


def told(cluster: Cluster, found: Foreseen) -> list[str]:
    """A plan for people: a line for each step, and what comes before the first."""
    lines = [f"{number}. {step}" for number, step in enumerate(_steps(cluster, found), 1)]
    if found.secured and cluster.status.backup is not None and cluster.status.backup.store:
        lines.append(f"before the first, a snapshot of etcd is taken ({cluster.spec.upgrade_policy.snapshot})")
    return lines or [f"cluster {cluster.metadata.name}: all masters are there already"]


def _steps(cluster: Cluster, found: Foreseen) -> list[str]:
    stand = found.stand
    if found.at_once:
        what = f"all masters come to {stand.to} at once, because the cluster was never Ready"
        return [what] if found.moves else []
    steps = [
        f"{component}: {_way(stand, component)}" + (", with other overrides" if component in stand.differing else "")
        for component in found.moves
    ]
    if steps and stand.emulates:
        policy = cluster.spec.upgrade_policy.finish_emulation
        own = stand.then(API_SERVER).line
        steps.append(f"{', '.join(EMULATING)}: serve {own}, until then {stand.emulates} (finishEmulation: {policy})")
    return steps


def _way(stand: Stand, component: str) -> str:
    """From what to what a component moves. A hosted operator may come with a package version, or go with one."""
    before, after = (
        f"{package} ({version_of(found.version)})" if (found := stand.packages[package].component(component)) else ""
        for package in (stand.at[component], stand.to)
    )
    if before and after:
        return f"{before} -> {after}"
    return f"begins with {after}" if after else f"ends with {before}"


async def wait_until_there(session: Session, name: str, to: str, generation: int, timeout_s: float) -> None:
    """Return when all masters are of a package version. Raises CliError when that failed, or was not in time."""

    def met(content: dict[str, Any] | None) -> bool:
        if content is None:
            raise CliError(f"cluster {name} was deleted while waiting", Exit.NOT_FOUND)
        declared = content["spec"]["packageVersion"]
        if declared != to:
            raise CliError(f"cluster {name}: somebody declared {declared} meanwhile", Exit.REFUSED)
        found = condition(content, words.UP_TO_DATE)
        if found is None or found.get("observedGeneration", 0) < generation:
            return False
        if found["reason"] in _HOPELESS:
            raise CliError(f"cluster {name}: {found['reason']}: {found['message']}")
        return bool(found["status"] == "True")

    await wait_until_met(session, Awaited(unstructured(CLUSTER.resource), name, f"at {to}", met), timeout_s)
