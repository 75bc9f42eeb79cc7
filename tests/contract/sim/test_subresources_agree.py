"""Scales, bindings, evictions, ends of namespaces, and the two forms of Events, on both API servers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.contract.sim.both import Both, comparable, refusal
from tests.contract.sim.kind_cases import budget, container, controller, event, pod, workload
from tests.support.apiserver import ApiServer

pytestmark = pytest.mark.real
NAMESPACE = "below-agree"
CORE = f"/api/v1/namespaces/{NAMESPACE}"
POD, SCALE = f"{CORE}/pods/one", f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/one/scale"
BUDGETS = f"/apis/policy/v1/namespaces/{NAMESPACE}/poddisruptionbudgets"
MERGE = "application/merge-patch+json"
RUNNING = {"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}}
COUNTED = {"observedGeneration": 1, "currentHealthy": 1, "desiredHealthy": 1, "expectedPods": 1}


@pytest.fixture
def both(api_server: ApiServer) -> Iterator[Both]:
    """Both with a namespace."""
    made = Both(api_server)
    made.ask("POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
    yield made
    for path in (POD, SCALE.removesuffix("/scale"), f"{BUDGETS}/one", f"{CORE}/events/one"):
        made.ask("DELETE", path, query="gracePeriodSeconds=0&propagationPolicy=Background")


def agree(both: Both, method: str, path: str, body: object = None, **how: Any) -> Any:
    """Both answer the same."""
    real, simulated = both.ask(method, path, body, **how)
    assert unowned(refusal(comparable(simulated))) == unowned(refusal(comparable(real)))
    return simulated


def unowned(answer: Any) -> Any:
    """Without its owners: whom subresources name as such is not imitated."""
    if isinstance(answer, dict) and isinstance(answer.get("metadata"), dict):
        answer["metadata"].pop("managedFields", None)
    return answer


def bound(both: Both) -> None:
    """A Pod with a label, and a host."""
    made = pod() | {"metadata": {"name": "one", "labels": {"a": "b"}}}
    agree(both, "POST", f"{CORE}/pods", made)
    agree(both, "POST", f"{POD}/binding", {"metadata": {"name": "one"}, "target": {"kind": "Node", "name": "n1"}})


def test_a_scale_is_told_and_set(both: Both) -> None:
    agree(both, "POST", SCALE.removesuffix("/one/scale"), workload("Deployment"))
    agree(both, "GET", SCALE)
    agree(both, "PATCH", SCALE, {"spec": {"replicas": 3}}, media=MERGE)
    agree(both, "GET", SCALE.removesuffix("/scale"))
    agree(both, "PATCH", SCALE, {"spec": {"replicas": -2}}, media=MERGE)
    agree(both, "GET", SCALE.replace("/one/", "/nobody/"))


def test_what_a_replication_controller_owns_stays_where_nobody_says_otherwise(both: Both) -> None:
    path = f"{CORE}/replicationcontrollers/one"
    agree(both, "POST", path.rpartition("/")[0], controller())
    agree(both, "GET", f"{path}/scale")
    agree(both, "DELETE", path)
    agree(both, "GET", path)
    agree(both, "PATCH", path, {"metadata": {"finalizers": None}}, media=MERGE)


def test_a_pod_is_bound_once(both: Both) -> None:
    bound(both)
    agree(both, "GET", POD)
    agree(both, "POST", f"{POD}/binding", {"metadata": {"name": "one"}, "target": {"kind": "Node", "name": "n2"}})
    agree(both, "GET", f"{POD}/log")
    agree(both, "GET", f"{POD}/log", query="container=x")


def test_logs_of_several_containers_must_be_told_apart(both: Both) -> None:
    agree(both, "POST", f"{CORE}/pods", pod(container(), container(name="d")))
    agree(both, "GET", f"{POD}/log")
    agree(both, "GET", f"{POD}/log", query="container=d")


def test_an_eviction_waits_for_the_count_and_spends_what_it_allows(both: Both) -> None:
    bound(both)
    eviction = {"metadata": {"name": "one"}}
    agree(both, "PATCH", f"{POD}/status", RUNNING, media=MERGE)
    agree(both, "POST", BUDGETS, budget(minAvailable=1, selector={"matchLabels": {"a": "b"}}))
    agree(both, "POST", f"{POD}/eviction", eviction)
    for allowed in (0, 1):
        status = {"status": {**COUNTED, "disruptionsAllowed": allowed}}
        agree(both, "PATCH", f"{BUDGETS}/one/status", status, media=MERGE)
        agree(both, "POST", f"{POD}/eviction", eviction)
    agree(both, "GET", f"{BUDGETS}/one")
    agree(both, "GET", POD)
    agree(both, "POST", f"{POD}/eviction", {"metadata": {"name": "other"}})
    agree(both, "POST", f"{CORE}/pods/nobody/eviction", {"metadata": {"name": "nobody"}})


def test_a_pod_with_a_host_has_time_to_end_and_goes_at_once_when_asked(both: Both) -> None:
    bound(both)
    agree(both, "DELETE", POD)
    agree(both, "GET", POD)
    agree(both, "DELETE", POD, query="gracePeriodSeconds=5")
    agree(both, "GET", POD)
    agree(both, "DELETE", POD, query="gracePeriodSeconds=0")
    agree(both, "GET", POD)


def test_a_namespace_ends_when_its_holder_lets_go(both: Both) -> None:
    path = "/api/v1/namespaces/below-agree-ending"
    agree(both, "POST", "/api/v1/namespaces", {"metadata": {"name": "below-agree-ending"}})
    agree(both, "DELETE", path)
    agree(both, "PUT", f"{path}/finalize", {"metadata": {"name": "below-agree-ending"}})
    agree(both, "GET", path)


def test_an_event_of_one_form_is_there_in_the_other(both: Both) -> None:
    new = f"/apis/events.k8s.io/v1/namespaces/{NAMESPACE}/events"
    made = event(regarding={"kind": "Pod", "name": "x", "namespace": NAMESPACE})
    agree(both, "POST", new, made)
    agree(both, "GET", f"{CORE}/events/one")
    series = {"count": 2, "lastObservedTime": "2026-01-01T00:00:00.000000Z"}
    agree(both, "PATCH", f"{new}/one", {"series": series}, media=MERGE)
    agree(both, "PATCH", f"{CORE}/events/one", {"count": 2}, media=MERGE)
    agree(both, "GET", f"{new}/one")
    agree(both, "GET", f"{new}", query="fieldSelector=involvedObject.name=x")
    agree(both, "DELETE", f"{CORE}/events/one")
    agree(both, "GET", f"{new}/one")
