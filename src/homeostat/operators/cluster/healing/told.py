"""What the status and the events say about healing. Pure."""

from __future__ import annotations

from msgspec.structs import replace

from homeostat.api.cluster.v1alpha1 import ClusterHealingStatus, ClusterStatus
from homeostat.operators.cluster import words
from homeostat.operators.cluster.actions import Action, Heal, PromoteMember, RemoveMember, Verdict
from homeostat.operators.cluster.healing.members import begun
from homeostat.runtime.events import Note
from homeostat.runtime.loop import Result
from homeostat.runtime.outcome import Done


def healed(before: ClusterStatus, healing: Heal) -> ClusterHealingStatus | None:
    """The status of healing after this look."""
    known = before.healing
    if healing.begins is not None:
        return begun(known, healing.begins)
    if healing.ends and known is not None:
        return replace(known, replacement=None)
    return known


def etcd_verdict(trouble: Verdict, healing: Heal) -> Verdict:
    """What the condition EtcdReady says of members that are not ready: what is done about it comes first."""
    if healing.verdict is None or trouble.reason == words.COMPONENTS_READY:
        return trouble
    return Verdict(healing.verdict.reason, f"{healing.verdict.message}; {trouble.message}")


def healing_notes(before: ClusterStatus, healing: Heal, results: tuple[Result[Action], ...]) -> list[Note]:
    """The story of a replacement, an event for each step that cannot be taken back."""
    notes = []
    if healing.begins is not None:
        notes.append(Note(words.REPLACING_MEMBER, f"{healing.begins.member}: {healing.begins.reason}", type="Warning"))
    notes += [_done(result.action) for result in results if isinstance(result.outcome, Done) and _is_step(result)]
    replacement = before.healing.replacement if before.healing is not None else None
    if healing.ends and replacement is not None:
        notes.append(Note(words.MEMBER_REPLACED, f"{replacement.member} is a member again, and ready"))
    return notes


def _is_step(result: Result[Action]) -> bool:
    return isinstance(result.action, RemoveMember | PromoteMember)


def _done(action: Action) -> Note:
    if isinstance(action, RemoveMember):
        return Note(words.REPLACING_MEMBER, f"{action.member} was removed from the members of etcd", type="Warning")
    assert isinstance(action, PromoteMember)  # noqa: S101  (the caller chose)
    return Note(words.REPLACING_MEMBER, f"the new {action.member} has its vote")
