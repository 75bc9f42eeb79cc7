"""What `restore` asks and awaits: whether a snapshot may be approved, what that costs, and when clients are served.

The operator judges for itself, by the store and by the keys, whether a snapshot fits. Here is refused at once what the
Cluster's own status tells already.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from homeostat.api.cluster.restoring import QuorumLossStatus
from homeostat.api.cluster.v1alpha1 import CLUSTER, Cluster
from homeostat.api.kind import unstructured
from homeostat.cli.awaiting import Awaited, condition, wait_until_met
from homeostat.cli.exits import CliError, Exit
from homeostat.cli.session import Session
from homeostat.operators.cluster import words
from homeostat.operators.cluster.backup.manifest import parse_id
from homeostat.operators.cluster.restore.beginning import DONE, DROPPED, is_under_way, lost_seconds

# What stands in a spec for one Cluster, or for one moment, and not for another that is declared like it.
_OWN = {"endpoint": ("address",), "healing": ("approveRestore",), "backup": ("request",)}
_MOMENTARY = ("restoreFrom", "keys", "paused")


def approvable(cluster: Cluster, snapshot: str) -> QuorumLossStatus:
    """The loss that an approval is for. Raises CliError when there is none, or when the approval would not count."""
    name, loss, restore = cluster.metadata.name, cluster.status.quorum_loss, cluster.status.restore
    if restore is not None and is_under_way(cluster):
        told = f"it is being restored from {restore.snapshot}, the stage is {restore.stage}"
        raise CliError(f"cluster {name}: {told}", Exit.REFUSED)
    if loss is None:
        raise CliError(
            f"cluster {name}: its etcd has a quorum that agrees on the data, so there is nothing to restore",
            Exit.REFUSED,
            remedy="to have the data of a snapshot in another cluster, name that with --into",
        )
    if snapshot == cluster.spec.healing.approve_restore == loss.spent_approval:
        raise CliError(
            f"cluster {name}: {snapshot} was approved before this loss was told, which does not count",
            Exit.REFUSED,
            remedy="take that back with --take-back, and approve it again",
        )
    return loss


def price(cluster: Cluster, loss: QuorumLossStatus, snapshot: str) -> str:
    """What is given up."""
    known = cluster.status.backup.snapshots if cluster.status.backup is not None else ()
    taken_at = next((each.taken_at for each in known if each.id == snapshot), None)
    seconds = loss.lost_seconds if snapshot == loss.newest_snapshot else lost_seconds(taken_at, loss.since)
    moment = "that was found, and since," if loss.corrupt else "the loss"
    span = f"in the {timedelta(seconds=seconds)} before {moment}" if seconds else "since it was taken"
    return f"what was written {span} is gone for good{_doubt(cluster, loss, snapshot)}"


def _doubt(cluster: Cluster, loss: QuorumLossStatus, snapshot: str) -> str:
    """What is to be said of a snapshot that may have been drawn from corrupt data already."""
    agreed_at = cluster.status.etcd.agreed_at if cluster.status.etcd is not None else None
    taken = parse_id(snapshot)
    is_from_before = agreed_at is not None and taken is not None and taken[0] <= agreed_at
    if not loss.corrupt or is_from_before:
        return ""
    return "; the snapshot is not from before a comparison at which all members agreed, and may be corrupt as well"


async def require_known(session: Session, cluster: Cluster, snapshot: str) -> None:
    """Raise CliError unless the Cluster tells of a sound snapshot of that id."""
    name, status = cluster.metadata.name, cluster.status
    if status.quorum_loss is not None and status.quorum_loss.newest_snapshot == snapshot:
        return
    known = {each.id: each for each in status.backup.snapshots} if status.backup is not None else {}
    if snapshot not in known:
        listed = await session.client.list(CLUSTER, cluster.metadata.namespace)
        raise CliError(
            f"cluster {name}: it has no snapshot {snapshot}{_whose(listed.items, snapshot)}",
            Exit.NOT_FOUND,
            remedy=f"`homeostat snapshots cluster {name}` lists those that are known",
        )
    if known[snapshot].damaged:
        raise CliError(
            f"cluster {name}: snapshot {snapshot} is damaged: {known[snapshot].damaged}",
            Exit.REFUSED,
            remedy=f"choose a sound one; `homeostat snapshots cluster {name}` lists them",
        )


def _whose(clusters: tuple[Cluster, ...] | list[Cluster], snapshot: str) -> str:
    """Which other Cluster has it, for those who took one for the other."""
    for each in clusters:
        if each.status.backup is not None and any(one.id == snapshot for one in each.status.backup.snapshots):
            return f", which is of cluster {each.metadata.name}"
    return ""


def anew(content: dict[str, Any], into: str, snapshot: str, keys: str) -> dict[str, Any]:
    """What a Cluster of another name is declared as that begins with a snapshot of this one."""
    metadata = content["metadata"]
    spec = {field: value for field, value in content["spec"].items() if field not in _MOMENTARY}
    for field, gone in _OWN.items():
        if field in spec:
            spec[field] = {key: value for key, value in spec[field].items() if key not in gone}
    owner = {key: metadata[key] for key in ("namespace", "name", "uid")}
    begins = {"snapshot": snapshot, "cluster": owner, "keysFrom": keys}
    return {"metadata": {"name": into, "namespace": metadata["namespace"]}, "spec": {**spec, "restoreFrom": begins}}


async def wait_until_restored(
    session: Session, cluster: Cluster, snapshot: str, generation: int, timeout_s: float
) -> None:
    """Return when the approved restore is done, and clients are served. Raises CliError when it cannot be."""
    name = cluster.metadata.name
    before = cluster.status.restore.number if cluster.status.restore is not None else 0

    def met(content: dict[str, Any] | None) -> bool:
        told = _told(name, content)
        restore = told["status"].get("restore") or {}
        is_begun = restore.get("number", 0) > before
        if is_begun and restore["stage"] == DONE:
            return _is_ready(told)
        is_dropped = is_begun and restore["stage"] == DROPPED
        if is_dropped and restore.get("droppedBecause"):
            why = f"{restore['droppedBecause']}; the restore was dropped, and nothing was touched"
            raise CliError(f"cluster {name}: {why}", Exit.REFUSED)
        if is_dropped or told["spec"].get("healing", {}).get("approveRestore", "") != snapshot:
            raise CliError(f"cluster {name}: the approval of {snapshot} was taken back meanwhile", Exit.REFUSED)
        _require_no_refusal(name, condition(told, words.ETCD_READY), generation)
        return False

    await wait_until_met(session, Awaited(unstructured(CLUSTER.resource), name, "restored", met), timeout_s)


async def wait_until_begun(session: Session, name: str, timeout_s: float) -> None:
    """Return when a new Cluster serves its clients. Raises CliError when its snapshot is refused."""

    def met(content: dict[str, Any] | None) -> bool:
        told = _told(name, content)
        _require_no_refusal(name, condition(told, words.ACCEPTED), 1)
        return _is_ready(told)

    await wait_until_met(session, Awaited(unstructured(CLUSTER.resource), name, "restored", met), timeout_s)


def _told(name: str, content: dict[str, Any] | None) -> dict[str, Any]:
    """The Cluster with a status, be it empty. Raises CliError when it is gone."""
    if content is None:
        raise CliError(f"cluster {name} was deleted while waiting", Exit.NOT_FOUND)
    return {**content, "status": content.get("status") or {}}


def _is_ready(content: dict[str, Any]) -> bool:
    found = condition(content, words.READY)
    return found is not None and found["status"] == "True"


def _require_no_refusal(name: str, told: dict[str, Any] | None, generation: int) -> None:
    if told is None or told.get("observedGeneration", 0) < generation or told["reason"] != words.RESTORE_REFUSED:
        return
    raise CliError(f"cluster {name}: {told['reason']}: {told['message']}", Exit.REFUSED)
