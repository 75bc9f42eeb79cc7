"""What else a write of the status changes, and whose that is then, is the same on both API servers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.contract.sim.both import Both, comparable, in_namespace
from tests.contract.sim.kind_cases import GOOD
from tests.contract.sim.placing import MERGE, end, placed
from tests.support.apiserver import ApiServer

pytestmark = pytest.mark.real
NAMESPACE = "statuses-agree"
CASES = {
    "Pod": GOOD["smallest Pod"],
    "Deployment": GOOD["smallest Deployment"],
    "ReplicaSet": GOOD["smallest ReplicaSet"],
    "StatefulSet": GOOD["smallest StatefulSet"],
    "DaemonSet": GOOD["smallest DaemonSet"],
    "Job": GOOD["smallest Job"],
    "Service": GOOD["smallest Service"],
    "budget": GOOD["smallest budget"],
    "volume": GOOD["volume of the host"],
    "Node": GOOD["smallest Node"],
    "Namespace": {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": "statuses-agree-too"}},
}
OWNER = {"apiVersion": "v1", "kind": "X", "name": "n", "uid": "u"}
CHANGE = {
    "metadata": {
        "labels": {"l": "1"},
        "annotations": {"a": "1"},
        "finalizers": ["a.b/c"],
        "ownerReferences": [OWNER],
    },
    "status": {},
}


@pytest.fixture(scope="module")
def both(api_server: ApiServer) -> Iterator[Both]:
    """Both with a namespace."""
    with in_namespace(api_server, NAMESPACE) as made:
        yield made


@pytest.mark.parametrize("case", CASES)
def test_a_write_of_the_status_changes_as_much_of_the_metadata(case: str, both: Both) -> None:
    body, collection, path = placed(both, CASES[case], NAMESPACE)
    both.ask("POST", collection, body)

    real, simulated = both.ask("PATCH", f"{path}/status", CHANGE, media=MERGE)

    end(both, path)
    assert metadata(simulated) == metadata(real)


def metadata(answer: Any) -> Any:
    """All of it but how often it was written."""
    found = comparable(answer).get("metadata", answer)
    return {name: each for name, each in found.items() if name not in ("uid", "generation", "creationTimestamp")}


def test_an_address_of_a_balancer_gets_the_usual_mode_and_a_name_gets_none(both: Both) -> None:
    body, collection, path = placed(both, GOOD["balanced Service"], NAMESPACE)
    both.ask("POST", collection, body)
    given = {"status": {"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}, {"hostname": "a.example.com"}]}}}

    real, simulated = both.ask("PATCH", f"{path}/status", given, media=MERGE)

    end(both, path)
    assert simulated["status"]["loadBalancer"] == real["status"]["loadBalancer"]
