"""What Pods are given by the class of their runtime, on the simulated API server as on the real one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.contract.sim.both import Both, comparable, in_namespace, refusal
from tests.support.apiserver import ApiServer

pytestmark = pytest.mark.real
NAMESPACE = "runtimes-agree"
CLASSES = "/apis/node.k8s.io/v1/runtimeclasses"
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
CERTAIN = {"key": "a", "operator": "Equal", "value": "b", "effect": "NoExecute", "tolerationSeconds": 5}
GIVEN: dict[str, dict[str, Any]] = {
    "plain": {},
    "heavy": {"overhead": {"podFixed": {"cpu": "0.25", "memory": "128Mi"}}},
    "weightless": {"overhead": {}},
    "placed": {
        "scheduling": {"nodeSelector": {"kind": "x"}, "tolerations": [CERTAIN, {"key": "y", "operator": "Exists"}]}
    },
    "anywhere": {
        "scheduling": {"tolerations": [{"operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 600}]}
    },
}
PODS_OF: dict[str, tuple[str, dict[str, Any]]] = {
    "of a class that says nothing": ("plain", {}),
    "of a class that is not there": ("none", {}),
    "of a heavy class": ("heavy", {}),
    "that knows how heavy its class is": ("heavy", {"overhead": {"cpu": "250m", "memory": "128Mi"}}),
    "that thinks its class is lighter": ("heavy", {"overhead": {"cpu": "1m"}}),
    "that is heavy by itself": ("plain", {"overhead": {"cpu": "1m"}}),
    "of a class without weight": ("weightless", {}),
    "of a class with a place": ("placed", {}),
    "that says the same place": ("placed", {"nodeSelector": {"kind": "x", "a": "b"}}),
    "that says another place": ("placed", {"nodeSelector": {"kind": "y"}}),
    "that bears the same": ("placed", {"tolerations": [CERTAIN]}),
    "that bears more": ("placed", {"tolerations": [{"operator": "Exists"}]}),
    "that bears less": ("placed", {"tolerations": [{**CERTAIN, "key": "y", "tolerationSeconds": 1}]}),
    "of a class that bears all for a while": (
        "anywhere",
        {"tolerations": [CERTAIN, {**CERTAIN, "tolerationSeconds": 700}]},
    ),
}


@pytest.fixture(scope="module")
def both(api_server: ApiServer) -> Iterator[Both]:
    """Both with a namespace, and the classes."""
    with in_namespace(api_server, NAMESPACE) as made:
        for name, parts in GIVEN.items():
            made.ask("POST", CLASSES, {"metadata": {"name": name}, "handler": "one", **parts})
        yield made
        for name in GIVEN:
            made.ask("DELETE", f"{CLASSES}/{name}")


@pytest.mark.parametrize("case", PODS_OF)
def test_a_pod_has_from_its_runtime_the_same(case: str, both: Both) -> None:
    name, more = PODS_OF[case]
    spec = {"containers": [{"name": "c", "image": "i"}], "runtimeClassName": name, **more}

    real, simulated = both.ask("POST", PODS, {"metadata": {"name": "one"}, "spec": spec}, query="dryRun=All")

    assert refusal(comparable(simulated)) == refusal(comparable(real))
