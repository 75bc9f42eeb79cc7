"""Whether clients are served, as the condition `Available` tells it. Pure.

A fresh proof through the endpoint counts; without one the last does, as long as enough masters are ready. Where those
that are not ready stand on hosts that are silent, nobody knows of them, and a proof counts all the same.
"""

from __future__ import annotations

from homeostat.operators.cluster import words
from homeostat.operators.cluster.actions import Action, Plan, Probed, ProbeFailed, Verdict
from homeostat.operators.cluster.components import can_serve, is_answered, is_unheard
from homeostat.operators.cluster.ending import is_ending
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.ports import Refusal
from homeostat.runtime.conditions import find_condition
from homeostat.runtime.loop import Result


def available(seen: Observed, plan: Plan, results: tuple[Result[Action], ...]) -> tuple[bool, Verdict]:
    """Whether, and why, in the words of the condition `Available`."""
    if is_ending(seen.cluster):
        return False, plan.verdict or Verdict(words.DELETING, "the masters are gone")
    for result in results:
        if isinstance(result.outcome, ProbeFailed):
            return False, _too_few(seen) or Verdict(words.ENDPOINT_UNREACHABLE, result.outcome.why)
        if isinstance(result.outcome, Probed):
            return _served(result.outcome.refused)
    too_few = _too_few(seen)
    if too_few is not None and not _is_proven_unheard(seen):
        return False, too_few
    if seen.probed is not None and not seen.probed.version:
        return False, Verdict(words.ENDPOINT_UNREACHABLE, seen.probed.failure)
    if seen.probed is not None:
        return _served(seen.probed.refused)
    # What was remembered is gone after a restart of the operator; the status is not.
    before = find_condition(seen.cluster.status.conditions, words.AVAILABLE)
    if before is not None and before.status == "True":
        return True, Verdict(before.reason, before.message)
    return False, Verdict(words.PROGRESSING, "waiting for the first read through the endpoint")


def _is_proven_unheard(seen: Observed) -> bool:
    """Whether the endpoint has answered since hosts of masters fell silent."""
    return is_unheard(seen) and is_answered(seen) and seen.probed is not None and seen.probed.version != ""


def _too_few(seen: Observed) -> Verdict | None:
    """What is missing by what kubelets say; None: nothing."""
    if can_serve(seen):
        return None
    if seen.cluster.status.ready_at is None:
        return Verdict(words.PROGRESSING, "waiting for a quorum of etcd and for an API server")
    return Verdict(words.TOO_FEW_MASTERS, "no API server is ready, or etcd has no quorum of ready members")


def _served(refused: Refusal | None) -> tuple[bool, Verdict]:
    """Reads come through; what people's own policies do not let in is told, and no fault of the masters."""
    if refused is None:
        return True, Verdict(words.SERVING, "")
    return refused.is_by_policy, Verdict(words.WRITES_REFUSED, refused.why)
