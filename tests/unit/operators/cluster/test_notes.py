"""The events of a cluster: every change worth a word, once, and none that did not happen."""

from __future__ import annotations

from msgspec.structs import replace
from tests.support.clusters import NOW, cluster, new, pod, running, waiting
from tests.support.telling import served, silent, status, told

from homeostat.api.cluster.masters import API_SERVER
from homeostat.kube.errors import ConnectionFailed
from homeostat.operators.cluster import words
from homeostat.operators.cluster.actions import Action, Applied
from homeostat.operators.cluster.decide import Policy, decide
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.report import report
from homeostat.runtime.events import Note
from homeostat.runtime.loop import Result
from homeostat.runtime.outcome import Outcome, Retry

SILENT = Retry(ConnectionFailed("the cell does not answer"))


def events(seen: Observed, outcome: Outcome | None = None) -> list[tuple[str, str]]:
    return [(note.type, note.reason) for note in told(seen, outcome).notes]


def test_the_story_of_a_cluster_begins_once() -> None:
    assert events(new()) == [("Normal", words.CREATING), ("Normal", words.ISSUING)]
    seen = new()
    seen = replace(seen, cluster=replace(seen.cluster, status=status(seen)))
    assert events(seen) == [("Normal", words.ISSUING)]


def test_becoming_ready_is_told_once_with_the_version() -> None:
    seen = running(probed=None)
    seen = replace(seen, cluster=replace(seen.cluster, status=replace(seen.cluster.status, ready_at=None)))
    assert Note(words.CREATED, "serves Kubernetes v1.35.4") in told(seen).notes
    assert words.CREATED not in [reason for _, reason in events(running(probed=None))]


def test_a_change_for_the_worse_is_a_warning_with_what_and_where() -> None:
    seen = replace(silent(served()), pods=(pod(API_SERVER, **waiting("CrashLoopBackOff", restarts=3)),))
    notes = told(seen).notes
    assert {(note.type, note.reason) for note in notes} == {
        ("Warning", words.CRASHING),
        ("Warning", words.TOO_FEW_MASTERS),
    }
    assert "demo-kube-apiserver-0 on h1" in next(note.note for note in notes if note.reason == words.CRASHING)
    later = replace(seen, cluster=replace(seen.cluster, status=status(seen)))
    assert told(later).notes == ()


def test_a_repair_is_told_only_when_something_was_put_back() -> None:
    seen = replace(served(), applied={})
    assert events(seen, Applied()) == []
    assert told(seen, Applied(put_back=("Service demo-etcd",))).notes == (
        Note(words.REPAIRED, "put back Service demo-etcd", type="Warning"),
    )


def test_a_secret_made_anew_is_told_with_why() -> None:
    seen = served()
    damaged = replace(seen.leaves[0], damage="server.key is missing")
    notes = told(replace(seen, leaves=(damaged, *seen.leaves[1:]))).notes
    wanted = Note(words.REPAIRED, "made Secret demo-etcd anew: server.key is missing", type="Warning")
    assert wanted in notes


def test_what_was_not_tried_or_failed_is_no_event() -> None:
    seen = new()
    plan = decide(seen, NOW, Policy())
    results = (Result[Action](plan.actions[0], SILENT), Result[Action](plan.actions[1], None))
    assert [note.reason for note in report(seen, plan, results, NOW).notes] == [words.CREATING]


def test_removals_are_told_by_kind_and_name() -> None:
    notes = told(running(cluster(deleted=True))).notes
    assert Note(words.REMOVED, "removed Deployment demo-controller-manager, Deployment demo-scheduler") in notes
