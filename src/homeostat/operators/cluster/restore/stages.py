"""What to do next of a restore that was decided: fetch, stop, restore each member, start. Pure.

The stage stands in the status before its first step is done, and every step within a stage is read off from what there
is: whether this process has the snapshot ready, which Pods run, which ended well. An operator that dies between any two
of them goes on where it was. Until all bytes of the snapshot are here and verified, nothing is touched; and until the
masters are told to end it is asked, again and again, whether there is a quorum after all. Fetching takes minutes: hosts
that come back meanwhile have everything, and clients write again. Of corrupt data, which has its quorum, it is asked
once more whether members agree.

As many members as make a quorum are enough. One whose host is away meanwhile keeps its old data, which the others
refuse, and is replaced as any dead member is. Only where too few hosts are left for a quorum, and for long, the volumes
of those that are gone are given up.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from homeostat.api.cluster.restoring import ClusterRestoreStatus
from homeostat.api.core import PERSISTENT_VOLUME_CLAIM, SECRET, PersistentVolumeClaim
from homeostat.api.pods import POD, Pod
from homeostat.kit.backoff import doubled
from homeostat.operators.cluster import words
from homeostat.operators.cluster.actions import Action, AskEtcd, Verdict
from homeostat.operators.cluster.components import has_ready_quorum, topology
from homeostat.operators.cluster.healing.members import FRESH
from homeostat.operators.cluster.hosts import is_host_away
from homeostat.operators.cluster.names import COMPONENT_LABEL
from homeostat.operators.cluster.observe import Observed, Workload
from homeostat.operators.cluster.restore.actions import Clear, FetchSnapshot, RestoreMember
from homeostat.operators.cluster.restore.beginning import (
    ASKED_AGAIN,
    DROPPED,
    FETCHING,
    RESTORING,
    STARTING,
    STOPPING,
    judge,
    lost_seconds,
    own,
    owner_of,
    reference,
)
from homeostat.operators.cluster.restore.corrupt import agreement
from homeostat.operators.cluster.restore.lost import has_quorum
from homeostat.operators.cluster.restore.names import (
    ATTEMPT_ANNOTATION,
    COMPONENT,
    OFFER_ANNOTATION,
    attempt_of,
    pod_name,
    secret_name,
)

_SELECTED_NODE = "volume.kubernetes.io/selected-node"
_AGAIN = timedelta(seconds=2)
_ANSWERED = timedelta(seconds=0.5)  # until an answer of the store's, or of etcd's, is looked at
_FETCH_AGAIN = timedelta(seconds=30)
_FIRST_BACK_OFF, _LONGEST_BACK_OFF = timedelta(seconds=5), timedelta(minutes=5)


class Next(Struct, frozen=True):
    """The next step; masters are held at no replicas where `holds_masters` says so."""

    verdict: Verdict
    actions: tuple[Action, ...] = ()
    becomes: ClusterRestoreStatus | None = None
    is_refused: bool = False  # the declaration cannot be followed
    holds_masters: bool = False
    again: timedelta = _AGAIN


def go_on(seen: Observed, now: datetime) -> Next | None:
    """The next step of the restore in the status; None when masters may run, and nothing is left to do."""
    restore = seen.cluster.status.restore
    stages = {FETCHING: _fetch, STOPPING: _stop, RESTORING: _restore, STARTING: _start}
    is_under_way = restore is not None and restore.stage in stages
    return stages[restore.stage](seen, restore, now) if is_under_way and restore is not None else None


def begin(seen: Observed, now: datetime) -> Next | None:
    """A new Cluster that names a snapshot begins with it; one that has data already keeps that."""
    wish = seen.cluster.spec.restore_from
    if wish is None or seen.is_begun or seen.cluster.status.restore is not None:
        return None
    try:
        owner = reference(wish.cluster)
    except ValueError as error:
        return Next(Verdict(words.RESTORE_REFUSED, f"spec.restoreFrom: {error}"), is_refused=True, again=ASKED_AGAIN)
    judged = judge(seen, owner, wish.snapshot, None, now)
    if judged.refused:
        refused = Verdict(words.RESTORE_REFUSED, f"spec.restoreFrom: {judged.refused}")
        return Next(refused, is_refused=True, again=ASKED_AGAIN)
    what = _doing(f"looking at snapshot {wish.snapshot} of {owner}")
    if judged.ask is not None:
        return Next(what, (judged.ask,), again=_ANSWERED)
    return Next(what, becomes=judged.begins, again=timedelta(0))


def back_off(attempts: int) -> timedelta:
    """How long after a failure a member is tried again."""
    return doubled(_FIRST_BACK_OFF, attempts + 1, _LONGEST_BACK_OFF)


def _fetch(seen: Observed, restore: ClusterRestoreStatus, now: datetime) -> Next:
    owner = owner_of(restore)
    if owner == own(seen.cluster) and seen.cluster.spec.healing.approve_restore != restore.snapshot:
        return _drop(restore, f"the approval of {restore.snapshot} was taken back", now)
    doubt = _doubt(seen, restore, now)
    if doubt is not None:
        return doubt
    if _is_handed(seen, restore):
        until = now if restore.corrupt else None  # the masters ran on, and wrote what is given up now
        told = replace(restore, lost_seconds=lost_seconds(restore.taken_at, until)) if until else restore
        return _turn(told, STOPPING if seen.workloads else RESTORING, now)
    answer = seen.snapshots
    failure = answer.failure if answer is not None and answer.is_about(owner, restore.snapshot) else ""
    verdict = Verdict(words.RESTORE_REFUSED, failure) if failure else _doing(f"fetching snapshot {restore.snapshot}")
    if failure and answer is not None and now < answer.at + _FETCH_AGAIN:
        return Next(verdict, again=_FETCH_AGAIN)
    return Next(verdict, (FetchSnapshot(owner, restore.snapshot),))


def _doubt(seen: Observed, restore: ClusterRestoreStatus, now: datetime) -> Next | None:
    """What is to be done because nothing may be lost after all; None: it is, or nobody approved for want of it.

    As the loss of a quorum is told only when kubelets and etcd agree on it, the word of either of them ends it. Corrupt
    data has its quorum; comparing reads all of it, so that is done when the masters are about to be stopped.
    """
    if owner_of(restore) != own(seen.cluster):
        return None
    if restore.corrupt:
        return _doubt_of_data(seen, restore, now) if _is_handed(seen, restore) else None
    is_back, answer = has_ready_quorum(seen), seen.members
    if not is_back and (answer is None or now >= answer.at + FRESH):
        return Next(_doing("asking etcd once more whether it has a quorum"), (AskEtcd(),), again=_ANSWERED)
    if is_back or (answer is not None and has_quorum(seen, answer)):
        return _drop(restore, "etcd has its quorum again, with all that was written", now)
    return None


def _doubt_of_data(seen: Observed, restore: ClusterRestoreStatus, now: datetime) -> Next | None:
    found = agreement(seen, now)
    if isinstance(found, str):
        return _drop(restore, found, now) if found else None
    return Next(_doing("comparing the members of etcd once more"), (found,), again=_ANSWERED)


def _stop(seen: Observed, restore: ClusterRestoreStatus, now: datetime) -> Next:
    """No master may run while the data is exchanged: none serves, none writes, none believes what it remembers."""
    etcd = seen.workloads.get(seen.names.etcd)
    is_touched = etcd is None or etcd.spec.replicas == 0
    doubt = None if is_touched else _doubt(seen, restore, now)
    if doubt is not None:
        return doubt
    left = [pod for pod in seen.pods if pod.metadata.labels.get(COMPONENT_LABEL) != COMPONENT]
    if not left and all(map(_makes_no_more, seen.workloads.values())):
        return _turn(restore, RESTORING, now)
    stuck = tuple(_clear(seen, pod) for pod in left if _away(seen, pod))
    names = ", ".join(pod.metadata.name for pod in left)
    return Next(_doing("stopping the masters" + (f": {names}" if names else "")), stuck, holds_masters=True)


def _makes_no_more(workload: Workload) -> bool:
    """Whether its controller knows that there are to be no Pods: until then it may make one, beside the restore."""
    status = workload.status
    is_known = status.observed_generation >= workload.metadata.generation
    return workload.spec.replicas == 0 and is_known and status.replicas == 0


def _restore(seen: Observed, restore: ClusterRestoreStatus, now: datetime) -> Next:
    members = seen.names.etcd_members(topology(seen).members)
    done = [member for member in members if _has_succeeded(seen, restore, member)]
    away = [member for member in members if member not in done and _is_away(seen, member)]
    if len(done) >= topology(seen).quorum and len(done) + len(away) == len(members):
        return _turn(restore, STARTING, now)
    if not _is_handed(seen, restore):
        return Next(
            _doing(f"fetching snapshot {restore.snapshot} once more"),
            (FetchSnapshot(owner_of(restore), restore.snapshot),),
            holds_masters=True,
        )
    if len(members) - len(away) < topology(seen).quorum:
        return _give_up(seen, restore, away, now)
    steps = [_step(seen, restore, member, now) for member in members if member not in (*done, *away)]
    failed = sum(step.failed for step in steps)
    what = "; ".join(step.what for step in steps if step.what)
    return Next(
        _doing(f"{len(done)} of {len(members)} members have the data of {restore.snapshot}: {what}"),
        tuple(action for step in steps for action in step.actions),
        becomes=replace(restore, attempts=restore.attempts + failed) if failed else None,
        holds_masters=True,
    )


def _start(seen: Observed, restore: ClusterRestoreStatus, now: datetime) -> Next | None:  # noqa: ARG001
    """What was needed for restoring goes first: etcd and the Pods of the restore have the same volumes."""
    left = [_clear(seen, pod) for pod in _all_pods(seen)]
    secret = seen.live.get((SECRET.resource.kind, secret_name(seen.names)))
    if secret is not None:
        left.append(Clear(SECRET, secret_name(seen.names), secret.uid))
    return Next(_doing("the masters start on the restored data"), tuple(left), holds_masters=True) if left else None


class _Step(Struct, frozen=True):
    """What one member needs."""

    actions: tuple[Action, ...] = ()
    what: str = ""
    failed: bool = False


def _step(seen: Observed, restore: ClusterRestoreStatus, member: str, now: datetime) -> _Step:
    pod = _pod(seen, member)
    if pod is None:
        return _Step((RestoreMember(member),), f"{member} begins")
    clear = _clear(seen, pod)
    if pod.metadata.deletion_timestamp is not None:
        return _Step((clear,) if clear.away else (), f"{pod.metadata.name} goes")
    marks = pod.metadata.annotations
    assert seen.handed is not None  # noqa: S101  (the caller has looked)
    if (marks.get(ATTEMPT_ANNOTATION), marks.get(OFFER_ANNOTATION)) != (attempt_of(restore), seen.handed.digest):
        return _Step((clear,), f"{member} begins anew")
    if pod.status.phase != "Failed":
        return _Step(what=f"{member} is being restored")
    why, ended = _failure(pod)
    if ended is not None and now < ended + back_off(restore.attempts):
        return _Step(what=f"{member} failed and is tried again: {why}")
    return _Step((clear,), f"{member} is tried again: {why}", failed=True)


def _give_up(seen: Observed, restore: ClusterRestoreStatus, away: list[str], now: datetime) -> Next:
    """Members whose hosts are gone begin on new volumes, when it has lasted."""
    gone = ", ".join(away)
    patience = timedelta(seconds=seen.cluster.spec.healing.replace_member_after_seconds)
    if now < (restore.stage_started_at or restore.started_at) + patience:
        return Next(_doing(f"waiting for the hosts of {gone}"), holds_masters=True)
    actions = tuple(action for member in away for action in _without_volume(seen, member))
    return Next(
        _doing(f"the volumes of {gone} are on hosts that are gone, and are given up"), actions, holds_masters=True
    )


def _without_volume(seen: Observed, member: str) -> Iterator[Clear]:
    """The Pod goes first: one that is left without a claim would wait for it for ever."""
    claim, pod = _claim(seen, member), _pod(seen, member)
    where = _place(claim)
    if pod is not None:
        yield Clear(POD, pod.metadata.name, pod.metadata.uid, away=where)
    if claim is not None:
        yield Clear(PERSISTENT_VOLUME_CLAIM, claim.metadata.name, claim.metadata.uid, away=where)


def _turn(restore: ClusterRestoreStatus, stage: str, now: datetime) -> Next:
    became = replace(restore, stage=stage, stage_started_at=now.replace(microsecond=0))
    return Next(
        _doing(f"now {stage.lower()}"), becomes=became, holds_masters=stage in (RESTORING, STARTING), again=timedelta(0)
    )


def _drop(restore: ClusterRestoreStatus, why: str, now: datetime) -> Next:
    """Nothing was touched, and nothing will be."""
    became = replace(restore, stage=DROPPED, stage_started_at=now.replace(microsecond=0), dropped_because=why)
    return Next(_doing(f"the restore is dropped: {why}"), becomes=became, again=timedelta(0))


def _doing(what: str) -> Verdict:
    return Verdict(words.RESTORING, what)


def _is_handed(seen: Observed, restore: ClusterRestoreStatus) -> bool:
    handed = seen.handed
    return handed is not None and (handed.owner, handed.snapshot) == (owner_of(restore), restore.snapshot)


def _has_succeeded(seen: Observed, restore: ClusterRestoreStatus, member: str) -> bool:
    pod = _pod(seen, member)
    is_ours = pod is not None and pod.metadata.annotations.get(ATTEMPT_ANNOTATION) == attempt_of(restore)
    return is_ours and pod is not None and pod.status.phase == "Succeeded"


def _is_away(seen: Observed, member: str) -> bool:
    """Whether a member's volume is on a host that is not ready, or not there."""
    return is_host_away(seen, _place(_claim(seen, member)))


def _place(claim: PersistentVolumeClaim | None) -> str:
    """The host that a volume is on; empty: none yet."""
    return claim.metadata.annotations.get(_SELECTED_NODE, "") if claim is not None else ""


def _clear(seen: Observed, pod: Pod) -> Clear:
    return Clear(POD, pod.metadata.name, pod.metadata.uid, away=_away(seen, pod))


def _away(seen: Observed, pod: Pod) -> str:
    """The host whose kubelet should let a Pod go and is gone; empty: it is there."""
    return pod.spec.node_name if is_host_away(seen, pod.spec.node_name) else ""


def _failure(pod: Pod) -> tuple[str, datetime | None]:
    """What a failed Pod said last, and when."""
    statuses = (*pod.status.init_container_statuses, *pod.status.container_statuses)
    for status in statuses:
        ended = status.state.terminated
        if ended is not None and ended.exit_code:
            return f"{status.name}: {ended.message.strip()[-300:] or ended.reason}", ended.finished_at
    return pod.status.message or pod.status.reason or "it failed", None


def _all_pods(seen: Observed) -> list[Pod]:
    return [pod for pod in seen.pods if pod.metadata.labels.get(COMPONENT_LABEL) == COMPONENT]


def _pod(seen: Observed, member: str) -> Pod | None:
    return next((pod for pod in _all_pods(seen) if pod.metadata.name == pod_name(member)), None)


def _claim(seen: Observed, member: str) -> PersistentVolumeClaim | None:
    return next((each for each in seen.claims if each.metadata.name == f"data-{member}"), None)
