"""Hosts that are silent say nothing of the masters on them: then the endpoint itself is asked."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace
from tests.support.clusters import NOW, cluster, pod, running, workload

from homeostat.api.cluster.masters import API_SERVER, ETCD
from homeostat.api.meta import Condition
from homeostat.operators.cluster import words
from homeostat.operators.cluster.actions import Action, Plan, Probed, ProbeEndpoint, ProbeFailed
from homeostat.operators.cluster.decide import Policy, decide
from homeostat.operators.cluster.healing.seen import HostSeen
from homeostat.operators.cluster.observe import Observed, ProbeSeen
from homeostat.operators.cluster.report import report
from homeostat.runtime.conditions import find_condition
from homeostat.runtime.loop import Result
from homeostat.runtime.outcome import Outcome

EARLIER, LATER = NOW - timedelta(minutes=1), NOW + timedelta(seconds=1)


def unready(*, silent: bool, probed: ProbeSeen | None = None, since: datetime = NOW) -> Observed:
    """Masters that are not ready, on a host that is silent, or is not."""
    seen = running(cluster())
    unwell: dict[str, Any] = {"conditions": [{"type": "Ready", "status": "False"}]}
    none = {
        "demo-etcd": workload(ETCD, "demo-etcd", ready=0),
        "demo-apiserver": workload(API_SERVER, "demo-apiserver", ready=0),
    }
    return replace(
        seen,
        workloads={**seen.workloads, **none},
        pods=(pod(ETCD, **unwell), pod(API_SERVER, **unwell)),
        hosts={"h1": HostSeen("a", is_ready=not silent, takes_pods=True)},
        probed=probed or ProbeSeen(EARLIER, "v1.35.4"),
        ready_since=since,
    )


def planned(seen: Observed) -> Plan:
    return decide(seen, NOW, Policy())


def told(seen: Observed, *outcomes: Outcome) -> Condition:
    results = tuple(Result[Action](ProbeEndpoint(), outcome) for outcome in outcomes)
    status = report(seen, planned(seen), results, NOW).status
    assert status is not None
    found = find_condition(status.conditions, words.AVAILABLE)
    assert found is not None
    return found


def test_while_hosts_of_masters_are_silent_the_endpoint_is_asked_at_once() -> None:
    assert ProbeEndpoint() in planned(unready(silent=True)).actions
    assert ProbeEndpoint() not in planned(unready(silent=False)).actions


def test_an_answer_since_they_fell_silent_is_proof_and_is_not_asked_for_again_at_once() -> None:
    seen = unready(silent=True, probed=ProbeSeen(LATER, "v1.35.4"))
    assert ProbeEndpoint() not in planned(seen).actions
    assert told(seen).status == "True"
    assert told(unready(silent=True), Probed(version="v1.35.4")).status == "True"


def test_an_older_answer_is_none_and_neither_is_one_while_hosts_speak() -> None:
    for seen in (unready(silent=True), unready(silent=False, probed=ProbeSeen(LATER, "v1.35.4"))):
        found = told(seen)
        assert (found.status, found.reason) == ("False", words.TOO_FEW_MASTERS)


def test_without_an_answer_too_few_masters_are_what_is_told() -> None:
    asked = ProbeSeen(LATER, "", "no answer")
    for found in (told(unready(silent=True), ProbeFailed(5, "no answer")), told(unready(silent=True, probed=asked))):
        assert (found.status, found.reason) == ("False", words.TOO_FEW_MASTERS)
