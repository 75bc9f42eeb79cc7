"""Pods are given the same accounts, and what comes with them, by the real API server and by ours."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from tests.contract.sim.both import Both, comparable
from tests.contract.sim.kind_cases import Body, container, pod
from tests.contract.sim.placing import end
from tests.support.apiserver import launch

from homeostat.kit.clock import SystemClock
from homeostat.kit.random import system_random
from homeostat.sim.apiserver.server import ApiServer

pytestmark = pytest.mark.real
HOME = "/api/v1/namespaces/accounts-agree"
PLACE = "/var/run/secrets/kubernetes.io/serviceaccount"
ACCOUNTS: dict[str, Body] = {
    "default": {"imagePullSecrets": [{"name": "pull"}]},
    "quiet": {"automountServiceAccountToken": False},
    "loud": {"automountServiceAccountToken": True},
}
MOUNT = {"name": "own", "mountPath": PLACE}
VOLUME = {"name": "kube-api-access-own", "emptyDir": {}}
PODS: dict[str, Body] = {
    "that names none": pod(container(), initContainers=[container(name="first")]),
    "that names one": pod(serviceAccountName="loud"),
    "that names one as before": pod(serviceAccount="quiet"),
    "that wants no token": pod(serviceAccountName="loud", automountServiceAccountToken=False),
    "that wants a token all the same": pod(serviceAccountName="quiet", automountServiceAccountToken=True),
    "that pulls by itself": pod(imagePullSecrets=[{"name": "other"}]),
    "of which one has something there": pod(
        container(volumeMounts=[MOUNT]), container(name="d"), volumes=[{"name": "own", "emptyDir": {}}]
    ),
    "of which all have something there": pod(
        container(volumeMounts=[MOUNT]), volumes=[{"name": "own", "emptyDir": {}}]
    ),
    "that has such a volume": pod(volumes=[VOLUME]),
    "that names a missing one": pod(serviceAccountName="nobody"),
    "without a name": {
        "metadata": {"generateName": "some-"},
        "spec": {**pod()["spec"], "serviceAccountName": "nobody"},
    },
}


@pytest.fixture(scope="module")
def both() -> Iterator[Both]:
    """Both with a namespace and accounts; this real server gives accounts, as the shared one does not."""
    server = launch(accounts=True)
    try:
        made = Both(server)
        made.simulated = ApiServer(clock=SystemClock(), random=system_random(), accounts=True)
        made.ask("POST", "/api/v1/namespaces", {"metadata": {"name": "accounts-agree"}})
        for name, parts in ACCOUNTS.items():
            real, simulated = made.ask("POST", f"{HOME}/serviceaccounts", {"metadata": {"name": name}, **parts})
            assert (real["kind"], simulated["kind"]) == ("ServiceAccount", "ServiceAccount")
        yield made
    finally:
        server.stop()
        shutil.rmtree(server.directory, ignore_errors=True)


@pytest.mark.parametrize("case", PODS)
def test_a_pod_is_given_the_same(case: str, both: Both) -> None:
    end(both, f"{HOME}/pods/one")

    real, simulated = both.ask("POST", f"{HOME}/pods", PODS[case])

    assert same_names(simulated) == same_names(real)


def same_names(answer: Any) -> Any:
    """Volumes are named by chance."""
    found = comparable(answer)
    volumes = found.get("spec", {}).get("volumes") or ()
    name = next((each["name"] for each in volumes if "projected" in each), "kube-api-access-")
    return msgspec.json.decode(msgspec.json.encode(found).replace(name.encode(), b"kube-api-access-"))
