"""How components fare, in words that say what is wrong, where, and what the machines said about it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.support.clusters import NOW, cluster, pod, running, waiting, workload
from tests.support.telling import shown

from homeostat.api.cluster.masters import API_SERVER, COMPONENTS, ETCD
from homeostat.api.core import Deployment, Pod
from homeostat.api.meta import ObjectMeta
from homeostat.operators.cluster import words
from homeostat.operators.cluster.components import is_ready
from homeostat.operators.cluster.observe import Observed, Workload
from homeostat.operators.cluster.troubles import Trouble, trouble

NAME = "demo-apiserver"
POD = "demo-kube-apiserver-0"


def with_workload(changed: Workload | None) -> Observed:
    """A running cluster whose API server has this Deployment."""
    seen = running()
    others = {name: one for name, one in seen.workloads.items() if name != NAME}
    return replace(seen, workloads=others if changed is None else {**others, NAME: changed})


def hurt(*pods: Pod) -> Observed:
    """A running cluster whose API server is not ready, with these Pods."""
    return replace(with_workload(workload(API_SERVER, NAME, ready=0)), pods=pods)


def told(*pods: Pod) -> Trouble:
    return trouble(hurt(*pods), API_SERVER)


def deployment(**changes: Any) -> Deployment:
    """The API server's Deployment, rolled out, with fields changed in the API's own words."""
    metadata = {"name": NAME, "namespace": "default", "uid": "u", "generation": 2, **changes.pop("metadata", {})}
    status = {"observedGeneration": 2, "replicas": 1, "readyReplicas": 1, "updatedReplicas": 1}
    spec = {"replicas": changes.pop("replicas", 1)}
    status["replicas"] = changes.pop("replicas_there", 1)
    return msgspec.convert({"metadata": metadata, "spec": spec, "status": {**status, **changes}}, Deployment)


def test_a_component_that_is_rolled_out_is_ready() -> None:
    assert trouble(running(), API_SERVER) == Trouble(words.COMPONENTS_READY, "")
    assert all(is_ready(running(), component) for component in COMPONENTS)


@pytest.mark.parametrize(
    "changed",
    [
        None,
        deployment(observedGeneration=1),
        deployment(readyReplicas=0),
        deployment(updatedReplicas=0),
        deployment(replicas_there=2),
        deployment(metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"}),
        deployment(replicas=0, readyReplicas=0, updatedReplicas=0),
    ],
    ids=[
        "gone",
        "not yet looked at",
        "not ready",
        "of an old declaration",
        "an old one is ready, the new one not",
        "being deleted",
        "scaled to nothing",
    ],
)
def test_a_component_is_not_ready_while_its_workload_is(changed: Deployment | None) -> None:
    seen = with_workload(changed)
    assert not is_ready(seen, API_SERVER)
    assert trouble(seen, API_SERVER).reason != words.COMPONENTS_READY
    assert trouble(seen, API_SERVER).message


def test_a_component_scaled_to_nothing_by_hand_says_so() -> None:
    seen = replace(with_workload(deployment(replicas=0, readyReplicas=0, updatedReplicas=0)), pods=())
    assert trouble(seen, API_SERVER) == Trouble(
        words.PROGRESSING, "Deployment demo-apiserver was scaled to 0 replicas, 1 are declared"
    )
    (status,) = [status for status in shown(seen) if status.name == API_SERVER]
    assert (status.desired, status.ready) == (1, 0)


def test_an_image_that_cannot_be_had_is_told_with_its_host_and_the_kubelets_words() -> None:
    found = told(pod(API_SERVER, **waiting("ImagePullBackOff", "no such manifest")))
    assert found.reason == words.IMAGE_UNAVAILABLE
    assert found.message == "image  cannot be had on host h1 (ImagePullBackOff): no such manifest"


@pytest.mark.parametrize("reason", ["ErrImagePull", "ErrImageNeverPull", "InvalidImageName", "ImageInspectError"])
def test_every_way_of_lacking_an_image_has_one_reason(reason: str) -> None:
    assert told(pod(API_SERVER, **waiting(reason))).reason == words.IMAGE_UNAVAILABLE
    assert reason in told(pod(API_SERVER, **waiting(reason))).message


def test_a_container_that_ends_again_and_again_is_told_with_its_last_words() -> None:
    last = {"exitCode": 2, "message": "\nbad flag --x\n"}
    found = told(pod(API_SERVER, **waiting("CrashLoopBackOff", "back-off 40s", restarts=4, last=last)))
    assert found == Trouble(words.CRASHING, f"{POD} on h1 ended 4 times (exit code 2): bad flag --x")


def test_of_long_last_words_the_end_is_told() -> None:
    last = {"exitCode": 1, "message": "x" * 5000 + "panic: disk full"}
    found = told(pod(API_SERVER, **waiting("CrashLoopBackOff", restarts=2, last=last)))
    assert found.message.endswith("panic: disk full")
    assert len(found.message) < 1000


def test_a_container_that_never_started_did_not_end() -> None:
    found = told(pod(API_SERVER, **waiting("CreateContainerConfigError", 'secret "demo-apiserver" not found')))
    assert found == Trouble(
        words.CRASHING,
        f'{POD} on h1 cannot be started (CreateContainerConfigError): secret "demo-apiserver" not found',
    )


def ended_before(*, ready: bool, restarts: int = 3) -> dict[str, Any]:
    """A container that runs now, and ended with an error some time ago."""
    container: dict[str, Any] = {"name": "c", "ready": ready, "restartCount": restarts, "state": {"running": {}}}
    container["lastState"] = {"terminated": {"exitCode": 1, "message": "no route to etcd"}}
    return {"containerStatuses": [container]}


def test_a_container_that_runs_between_two_ends_is_still_crashing() -> None:
    assert told(pod(API_SERVER, **ended_before(ready=False))).reason == words.CRASHING


def test_a_container_that_is_ready_is_not_blamed_for_its_past() -> None:
    assert told(pod(API_SERVER, **ended_before(ready=True))).reason == words.PROGRESSING


def test_one_end_is_no_habit() -> None:
    assert told(pod(API_SERVER, **ended_before(ready=False, restarts=1))).reason == words.PROGRESSING


def test_a_pod_that_fits_nowhere_is_told_in_the_schedulers_words() -> None:
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes: no room"}
    found = told(pod(API_SERVER, phase="Pending", conditions=[condition]))
    assert found == Trouble(words.UNSCHEDULABLE, f"{POD}: 0/3 nodes: no room")


def test_a_pod_that_nobody_may_make_is_told_in_the_api_servers_words() -> None:
    failure = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "exceeded quota: small"}
    seen = replace(with_workload(deployment(readyReplicas=0, conditions=[failure])), pods=())
    assert trouble(seen, API_SERVER) == Trouble(words.POD_REFUSED, "exceeded quota: small")


def test_the_most_telling_pod_speaks_and_one_on_its_way_out_is_silent() -> None:
    crashing = pod(API_SERVER, "old", **waiting("CrashLoopBackOff", restarts=9))
    no_image = pod(API_SERVER, "new", **waiting("ErrImagePull"))
    assert told(crashing, no_image).reason == words.IMAGE_UNAVAILABLE
    leaving = replace(no_image, metadata=replace(no_image.metadata, deletion_timestamp=NOW))
    assert told(crashing, leaving).reason == words.CRASHING


def test_pods_of_other_components_say_nothing_about_this_one() -> None:
    assert told(pod(ETCD, **waiting("ErrImagePull"))) == Trouble(words.PROGRESSING, "waiting for its Pod")


def test_a_pod_that_is_starting_is_named_with_its_host() -> None:
    assert told(pod(API_SERVER)) == Trouble(words.PROGRESSING, f"starting {POD} on h1")


def test_a_pod_that_does_not_go_is_named_with_its_host() -> None:
    going = pod(API_SERVER)
    going = replace(going, metadata=replace(going.metadata, deletion_timestamp=NOW))
    assert told(going) == Trouble(words.PROGRESSING, f"waiting until {POD} on h1 is gone")


def test_of_many_replicas_the_one_that_is_not_ready_is_awaited() -> None:
    good = {"conditions": [{"type": "Ready", "status": "True"}]}
    pods = (pod(API_SERVER, "one", **good), pod(API_SERVER, "two"))
    seen = running(cluster(topology="ha"), pods=pods)
    seen = replace(seen, workloads={**seen.workloads, NAME: workload(API_SERVER, NAME, ready=1, replicas=2)})
    assert trouble(seen, API_SERVER) == Trouble(words.PROGRESSING, "starting two on h1")
    (status,) = [status for status in shown(seen) if status.name == API_SERVER]
    assert (status.desired, status.ready) == (2, 1)


long = st.text(min_size=0, max_size=3000)


@given(long, long, st.sampled_from(["ErrImagePull", "CrashLoopBackOff", "CreateContainerError", "Other"]))
def test_no_words_of_a_machine_break_the_limits_of_a_status(name: str, message: str, reason: str) -> None:
    one = pod(API_SERVER, **waiting(reason, message, restarts=2, last={"exitCode": 1, "message": message}))
    labels = one.metadata.labels
    one = replace(
        one, metadata=ObjectMeta(name=name[:253], labels=labels), spec=replace(one.spec, node_name=name[:253])
    )
    seen = hurt(one)
    assert all(len(status.message) <= 1024 for status in shown(seen))
