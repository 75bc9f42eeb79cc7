"""What the status and the events say about healing. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime

from msgspec.structs import replace

from homeostat.api.cluster.healing import ClusterHealingStatus
from homeostat.api.cluster.v1alpha1 import ClusterStatus
from homeostat.operators.cluster import metrics, words
from homeostat.operators.cluster.actions import (
    Action,
    Heal,
    Isolate,
    LetGo,
    Mend,
    PromoteMember,
    RemoveMember,
    RestartMaster,
    Verdict,
)
from homeostat.operators.cluster.healing.ladder import HAND_OVER, MOVE, is_forgotten
from homeostat.operators.cluster.healing.members import begun
from homeostat.operators.cluster.healing.remembered import remembered
from homeostat.runtime.events import Note
from homeostat.runtime.loop import Result
from homeostat.runtime.outcome import Done
from homeostat.telemetry.metrics import Measure


def healed(
    before: ClusterStatus, healing: Heal, mending: Mend, now: datetime, *, moves: Collection[str] = ()
) -> ClusterHealingStatus | None:
    """The status of healing after this look; what moves is made anew, also where it stood before a calm."""
    known = remembered(before.healing, now)
    if healing.begins is not None:
        known = replace(begun(known, healing.begins), restarts=known.restarts if known is not None else ())
    elif healing.ends and known is not None:
        known = replace(known, replacement=None)
    if mending.restarts is not None:
        known = replace(known or ClusterHealingStatus(), restarts=mending.restarts)
    if known is not None and moves:
        over = {each.component for each in known.restarts if each.component in moves and is_forgotten(each, now)}
        known = replace(known, restarts=tuple(each for each in known.restarts if each.component not in over))
    # Applied empty where it was full, it would be stored as null, which the CRD refuses.
    return known if known != ClusterHealingStatus() else None


def etcd_verdict(trouble: Verdict, healing: Heal) -> Verdict:
    """What the condition EtcdReady says of members that are not ready: what is done about it comes first."""
    if healing.verdict is None or trouble.reason == words.COMPONENTS_READY:
        return trouble
    return Verdict(healing.verdict.reason, f"{healing.verdict.message}; {trouble.message}")


def master_verdict(judged: tuple[bool, Verdict], mending: Mend, names: tuple[str, ...]) -> tuple[bool, Verdict]:
    """What the conditions of stateless masters say: what healing found or does comes first, also of ready ones."""
    is_so, trouble = judged
    told = next((mending.verdicts[name] for name in names if name in mending.verdicts), None)
    if told is None:
        return is_so, trouble
    return False, told if is_so else Verdict(told.reason, f"{told.message}; {trouble.message}")


def mending_notes(before: ClusterStatus, mending: Mend, results: tuple[Result[Action], ...]) -> list[Note]:
    """The story of a restart: what was decided and done, and how it ended."""
    notes = [_mended(result.action) for result in results if isinstance(result.outcome, Done) and _is_mend(result)]
    known = {each.component: each for each in before.healing.restarts} if before.healing is not None else {}
    for each in mending.restarts or ():
        old = known.get(each.component)
        if each.ended_at is not None and (old is None or old.ended_at is None):
            notes.append(Note(words.MASTER_RESTARTED, f"{each.component} is well again, {each.attempts} restarts"))
        elif each.step == HAND_OVER and (old is None or old.step != HAND_OVER):
            notes.append(Note(words.HANDED_OVER, f"{each.component}: {each.reason}", type="Warning"))
        elif each.step == MOVE and (old is None or old.attempts != each.attempts):
            away = f"{each.component} moves away from host {each.host}: {each.reason}"
            notes.append(Note(words.RESTARTING_MASTER, away, type="Warning"))
    return notes


def mending_measures(results: tuple[Result[Action], ...]) -> Iterator[Measure]:
    """What was done, to be counted."""
    for result in results:
        if not isinstance(result.outcome, Done):
            continue
        match result.action:
            case RestartMaster(component=component, reason=reason):
                yield Measure(metrics.HEALED, (component, reason))
            case Isolate(out=out):
                yield Measure(metrics.ISOLATIONS, ("out" if out else "back",))


def _is_mend(result: Result[Action]) -> bool:
    return isinstance(result.action, Isolate | RestartMaster | LetGo)


def _mended(action: Action) -> Note:
    if isinstance(action, RestartMaster):
        return Note(words.RESTARTING_MASTER, f"deleted Pod {action.pod}: {action.reason}", type="Warning")
    if isinstance(action, LetGo):
        return Note(words.LET_GO, f"Pod {action.pod} could not end, because its host is away", type="Warning")
    assert isinstance(action, Isolate)  # noqa: S101  (the caller chose)
    if action.out:
        return Note(words.ISOLATED, f"{action.pod} does not answer, and was taken out of the endpoint", type="Warning")
    return Note(words.RESTORED, f"{action.pod} is back in the endpoint")


def healing_notes(before: ClusterStatus, healing: Heal, results: tuple[Result[Action], ...]) -> list[Note]:
    """The story of a replacement, an event for each step that cannot be taken back."""
    notes = []
    if healing.begins is not None:
        notes.append(Note(words.REPLACING_MEMBER, f"{healing.begins.member}: {healing.begins.reason}", type="Warning"))
    notes += [_done(result.action) for result in results if isinstance(result.outcome, Done) and _is_step(result)]
    replacement = before.healing.replacement if before.healing is not None else None
    if healing.ends and healing.verdict is not None:
        notes.append(Note(healing.verdict.reason, healing.verdict.message, type="Warning"))
    elif healing.ends and replacement is not None:
        notes.append(Note(words.MEMBER_REPLACED, f"{replacement.member} is a member again, and ready"))
    return notes


def _is_step(result: Result[Action]) -> bool:
    return isinstance(result.action, RemoveMember | PromoteMember)


def _done(action: Action) -> Note:
    if isinstance(action, RemoveMember):
        return Note(words.REPLACING_MEMBER, f"{action.member} was removed from the members of etcd", type="Warning")
    assert isinstance(action, PromoteMember)  # noqa: S101  (the caller chose)
    return Note(words.REPLACING_MEMBER, f"the new {action.member} has its vote")
