"""Labels and annotations that are none, wherever they stand, before both API servers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.contract.sim.both import Both, comparable, in_namespace, refusal
from tests.contract.sim.kind_cases import budget, controller, of, pod, workload
from tests.contract.sim.placing import named, placed
from tests.contract.sim.test_versions_agree import OBJECTS
from tests.support.apiserver import ApiServer

pytestmark = pytest.mark.real
NAMESPACE = "labels-agree"
NAMES = ("a!", "", "/a", "A_B/c", "a/b/c", "x" * 64, f"{'y' * 254}/a", "Example.com/a")
VALUES = ("-", "x" * 64, "a b")
WRONG = dict.fromkeys(NAMES, "v") | {f"k{at}": value for at, value in enumerate(VALUES)}
EXPRESSIONS = [
    {"key": "a!", "operator": "In", "values": ["ok", *VALUES]},
    {"key": "a", "operator": "Exists"},
    {"key": "a", "operator": "NotIn", "values": VALUES},
    {"key": "", "operator": "Like", "values": ["-"]},
]
POD = pod()["spec"]


def with_metadata(body: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return body | {"metadata": {**body["metadata"], **metadata}}


def template(**metadata: Any) -> dict[str, Any]:
    return {"metadata": {"labels": {"a": "b"}} | metadata, "spec": POD}


CASES: dict[str, dict[str, Any]] = {
    "labels": with_metadata(of("ConfigMap"), labels=WRONG),
    "annotations": with_metadata(of("ConfigMap"), annotations=WRONG),
    "finalizers": with_metadata(of("ConfigMap"), finalizers=["plain", "example.com/one", *NAMES]),
    "labels to choose by": budget(selector={"matchLabels": WRONG}),
    "expressions to choose by": budget(selector={"matchExpressions": EXPRESSIONS}),
    "labels of a template": workload("Deployment", template=template(labels={"a": "b", **WRONG})),
    "annotations of a template": workload("ReplicaSet", template=template(annotations=WRONG)),
    "labels to choose Pods by": workload("DaemonSet", selector={"matchLabels": WRONG}),
    "labels to choose Pods of a StatefulSet by": workload("StatefulSet", selector={"matchLabels": WRONG}),
    "labels to choose Pods of a ReplicaSet by": workload("ReplicaSet", selector={"matchLabels": WRONG}),
    "labels to choose Pods of a Deployment by": workload("Deployment", selector={"matchLabels": WRONG}),
    "labels of a PodTemplate": of("PodTemplate", template=template(labels=WRONG)),
    "labels of a ReplicationController's Pods": controller(template=template(labels=WRONG)),
    "labels to choose nodes by": pod(nodeSelector=WRONG),
    "labels of a Job's Pods": of(
        "Job", "batch/v1", spec={"template": template(labels=WRONG) | {"spec": {**POD, "restartPolicy": "Never"}}}
    ),
}


@pytest.fixture(scope="module")
def both(api_server: ApiServer) -> Iterator[Both]:
    """Both with a namespace."""
    with in_namespace(api_server, NAMESPACE) as made:
        yield made


@pytest.mark.parametrize("case", CASES)
def test_what_is_no_label_is_refused_for_the_same_causes(case: str, both: Both) -> None:
    _, collection, _ = placed(both, CASES[case], NAMESPACE)

    real, simulated = both.ask("POST", collection, named(CASES[case]), query="dryRun=All")

    assert real["kind"] == "Status", real
    assert refusal(comparable(simulated)) == refusal(comparable(real))


@pytest.mark.parametrize("kind", OBJECTS)
def test_a_finalizer_names_a_domain_where_it_must(kind: str, both: Both) -> None:
    body = with_metadata(named(OBJECTS[kind]), finalizers=["plain", "orphan"])
    _, collection, _ = placed(both, body, NAMESPACE)

    answers = both.ask("POST", collection, body, query="dryRun=All")

    real, simulated = ([each for each in causes_of(answer) if "finalizers" in str(each)] for answer in answers)
    assert simulated == real


def causes_of(answer: Any) -> Any:
    found = refusal(comparable(answer))
    return found.get("causes", ()) if isinstance(found, dict) else ()
