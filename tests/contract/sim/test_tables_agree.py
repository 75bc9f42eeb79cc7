"""What `kubectl get` shows of an object comes out of the simulated API server as out of the real one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest
from tests.contract.sim.both import Both, comparable, in_namespace, refusal
from tests.contract.sim.kind_cases import GOOD, container, pod, workload
from tests.contract.sim.placing import MERGE, end, placed
from tests.contract.sim.quota_cases import quota
from tests.support.apiserver import ApiServer

pytestmark = pytest.mark.real
NAMESPACE = "tables-agree"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
KUBECTL = f"{TABLE},application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json"
LONG_AGO = "2020-01-02T03:04:05Z"
SIDECAR = {"name": "s", "image": "s", "restartPolicy": "Always"}


def ended(code: int, **more: Any) -> dict[str, Any]:
    return {"terminated": {"exitCode": code, "finishedAt": LONG_AGO, "startedAt": LONG_AGO, **more}}


def told(state: dict[str, Any], *, name: str = "a", **more: Any) -> dict[str, Any]:
    return {"name": name, "image": "i", "imageID": "", "ready": False, "restartCount": 0, "state": state, **more}


def phase(phase: str, *containers: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"phase": phase, "containerStatuses": list(containers), **more}


def true(type_: str, **more: str) -> dict[str, str]:
    return {"type": type_, "status": "True", **more}


RUNNING = told({"running": {"startedAt": LONG_AGO}}, ready=True)
CRASHED = told({"waiting": {"reason": "CrashLoopBackOff"}}, restartCount=7, lastState=ended(1))
PODS: dict[str, dict[str, Any]] = {
    "runs": phase("Running", RUNNING, podIP="10.1.2.3", podIPs=[{"ip": "10.1.2.3"}]),
    "crashes": phase("Running", CRASHED),
    "is over": phase("Succeeded", told(ended(0, reason="Completed"))),
    "failed": phase("Failed", told(ended(3)), reason="Evicted"),
    "was killed": phase("Failed", told(ended(137, signal=9))),
    "is half over": phase("Running", told(ended(0, reason="Completed")), RUNNING, conditions=[true("Ready")]),
    "is half over and not ready": phase("Running", told(ended(0, reason="Completed")), RUNNING),
    "waits for gates": phase("Pending", conditions=[true("PodScheduled", reason="SchedulingGated")]),
    "begins": phase("Pending", initContainerStatuses=[told({}, name="first")]),
    "begins badly": phase("Pending", initContainerStatuses=[told(ended(2), name="first", restartCount=2)]),
    "waits to begin": phase(
        "Pending", initContainerStatuses=[told({"waiting": {"reason": "ErrImagePull"}}, name="first")]
    ),
    "has a sidecar": phase(
        "Running",
        RUNNING,
        initContainerStatuses=[told({"running": {}}, name="s", ready=True, started=True, restartCount=4)],
        conditions=[true("Initialized")],
    ),
}
OTHERS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "Deployment": (
        workload("Deployment", replicas=3),
        {"replicas": 3, "readyReplicas": 2, "updatedReplicas": 1, "availableReplicas": 1},
    ),
    "ResourceQuota": (
        quota({"cpu": "1"}),
        {
            "hard": {"requests.cpu": "1", "limits.cpu": "2", "pods": "5", "limits.memory": "1Gi"},
            "used": {"requests.cpu": "500m", "limits.cpu": "0", "pods": "1"},
        },
    ),
    "Job that is over": (
        GOOD["smallest Job"],
        {"startTime": LONG_AGO, "succeeded": 1, "conditions": [true("Suspended")]},
    ),
    "Node": (
        GOOD["smallest Node"] | {"spec": {"unschedulable": True}},
        {
            "conditions": [true("Ready")],
            "nodeInfo": {"kubeletVersion": "v1.35.4", "osImage": "o", "kernelVersion": "k"},
            "addresses": [{"type": "InternalIP", "address": "1.2.3.4"}],
        },
    ),
    "balanced Service": (
        GOOD["balanced Service"],
        {"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}, {"hostname": "a.very.long.name.of.a.balancer"}]}},
    ),
}


@pytest.fixture(scope="module")
def both(api_server: ApiServer) -> Iterator[Both]:
    """Both with a namespace."""
    with in_namespace(api_server, NAMESPACE) as made:
        yield made


@pytest.mark.parametrize("case", GOOD)
def test_an_object_is_shown_in_the_same_cells(case: str, both: Both) -> None:
    with there(both, GOOD[case]) as (collection, path):
        agree(both, path)
        agree(both, collection, query=f"fieldSelector=metadata.name={path.rpartition('/')[2]}")


@pytest.mark.parametrize("case", PODS)
def test_a_pod_is_shown_by_the_same_word(case: str, both: Both) -> None:
    body = pod(initContainers=[container(name="first"), SIDECAR], readinessGates=[{"conditionType": "Ready"}])

    with there(both, body) as (_, path):
        both.ask("PATCH", f"{path}/status", {"status": PODS[case]}, media=MERGE)
        agree(both, path)
        agree(both, path, query="includeObject=Object")


@pytest.mark.parametrize("case", OTHERS)
def test_what_a_status_tells_is_shown_in_the_same_cells(case: str, both: Both) -> None:
    body, status = OTHERS[case]

    with there(both, body) as (_, path):
        both.ask("PATCH", f"{path}/status", {"status": status}, media=MERGE)
        agree(both, path)
        if case == "Deployment":
            agree(both, f"{path}/scale")


@pytest.mark.parametrize(
    "accept",
    [
        "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io",
        "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json",
        "application/json;as=Table;v=v1beta1;g=meta.k8s.io",
        "application/json;as=Table;v=v2;g=meta.k8s.io",
        "application/json;as=Table;v=v2;g=meta.k8s.io,application/json",
        "text/html",
        "text/html,*/*",
        "",
    ],
)
def test_the_first_form_that_is_known_is_given(accept: str, both: Both) -> None:
    with there(both, GOOD["smallest Pod"]) as (collection, path):
        agree(both, path, accept=accept)
        agree(both, collection, accept=accept)


@pytest.mark.parametrize("included", ["None", "Metadata", "Object", "Nothing"])
def test_a_row_has_as_much_of_its_object_as_was_asked_for(included: str, both: Both) -> None:
    with there(both, GOOD["smallest budget"]) as (collection, path):
        agree(both, path, query=f"includeObject={included}")
        agree(both, collection, query=f"includeObject={included}")


@contextmanager
def there(both: Both, body: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """An object on both servers, for as long as a block lasts: the paths of its collection and of itself."""
    placed_body, collection, path = placed(both, body, NAMESPACE)
    for word in ("involvedObject", "regarding"):
        if word in placed_body:
            placed_body[word]["namespace"] = NAMESPACE
    end(both, path)
    real, simulated = both.ask("POST", collection, placed_body)
    assert "uid" in real["metadata"], real
    assert "uid" in simulated["metadata"], simulated
    yield collection, path
    end(both, path)


def agree(both: Both, path: str, *, query: str = "", accept: str = KUBECTL) -> None:
    """Both show the same."""
    real, simulated = both.ask("GET", path, query=query, headers={"Accept": accept})
    assert plain(simulated) == plain(real)


def plain(answer: Any) -> Any:
    """Without ages, and what else no two servers have in common."""
    if isinstance(answer, dict):
        text = msgspec.json.encode(answer).decode()
        for pattern, word in ((r'"\d+s"', '"AGE"'), (r":3\d{4}/TCP", ":PORT/TCP"), (r" \(\*\w+\.\w+\)", "")):
            text = re.sub(pattern, word, text)
        answer = msgspec.json.decode(text)
        if answer.get("code") == 406:
            return answer["message"]
    found = refusal(comparable(answer))
    parts = (found.get("items") or found.get("rows") or ()) if isinstance(found, dict) else ()
    for each in parts:
        holder = each.get("object") or each
        if "metadata" in holder:
            holder["metadata"].pop("resourceVersion", None)
            # The one annotation that a real server keeps as a field, and so does not show in rows.
            holder["metadata"].pop("annotations", None)
    return found
