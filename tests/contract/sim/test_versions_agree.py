"""Which kinds may be overwritten by who does not say what version he has read, on both API servers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.contract.sim import quota_cases
from tests.contract.sim.both import Both, comparable, in_namespace, refusal
from tests.contract.sim.kind_cases import FLOW_SCHEMAS, GOOD, of
from tests.contract.sim.kind_manifests import manifests_of_ours
from tests.contract.sim.placing import end, placed, type_of
from tests.support.apiserver import ApiServer

from homeostat.sim.apiserver.access.reviews import REVIEWS
from homeostat.sim.apiserver.types.builtin import NotImitated

pytestmark = pytest.mark.real
NAMESPACE = "versions-agree"
GROUP = "admissionregistration.k8s.io/v1"
RULES = {"apiGroups": ["example.com"], "apiVersions": ["v1"], "resources": ["nothing"], "operations": ["CREATE"]}
HOOK = {
    "name": "one.example.com",
    "clientConfig": {"url": "https://127.0.0.1:1/"},
    "rules": [RULES],
    "sideEffects": "None",
    "admissionReviewVersions": ["v1"],
}
THING = {"openAPIV3Schema": {"type": "object"}}
CASES = [
    *(manifests_of_ours() | GOOD | FLOW_SCHEMAS | quota_cases.GOOD).values(),
    of("Lease", "coordination.k8s.io/v1", spec={"holderIdentity": "a"}),
    of("PodTemplate", template={"spec": {"containers": [{"name": "c", "image": "i"}]}}),
    of("MutatingWebhookConfiguration", GROUP, webhooks=[HOOK]),
    of("ValidatingWebhookConfiguration", GROUP, webhooks=[HOOK]),
    of(
        "ValidatingAdmissionPolicy",
        GROUP,
        spec={"matchConstraints": {"resourceRules": [RULES]}, "validations": [{"expression": "true"}]},
    ),
    of("ValidatingAdmissionPolicyBinding", GROUP, spec={"policyName": "none", "validationActions": ["Deny"]}),
    of(
        "CustomResourceDefinition",
        "apiextensions.k8s.io/v1",
        name="versions.agree.example.com",
        spec={
            "group": "agree.example.com",
            "names": {"kind": "Version", "plural": "versions"},
            "scope": "Cluster",
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": THING}],
        },
    ),
]
OBJECTS = {case["kind"] if case["apiVersion"] != "events.k8s.io/v1" else "newer Event": case for case in CASES}
ELSEWHERE = {"CertificateSigningRequest"}  # of these another test asks


@pytest.fixture(scope="module")
def both(api_server: ApiServer) -> Iterator[Both]:
    """Both with a namespace."""
    with in_namespace(api_server, NAMESPACE) as made:
        yield made


def test_every_kind_that_is_imitated_is_asked_about(both: Both) -> None:
    served = {
        each.resource.kind
        for each in both.simulated.types
        if not isinstance(each.strategy, NotImitated) and each.collection not in REVIEWS
    }
    assert served - ELSEWHERE <= {each["kind"] for each in OBJECTS.values()}


@pytest.mark.parametrize("kind", OBJECTS)
def test_an_object_or_its_status_is_overwritten_without_a_version_or_not(kind: str, both: Both) -> None:
    body, collection, path = placed(both, OBJECTS[kind], NAMESPACE)
    end(both, path)
    both.ask("POST", collection, body)
    answers = {}
    try:
        body["metadata"]["labels"] = {"written": "later"}
        body["metadata"].pop("generateName", None)
        answers["object"] = both.ask("PUT", path, body)
        if "status" in type_of(both, body).subresources:
            body["metadata"]["labels"] = {"written": "last"}
            answers["status"] = both.ask("PUT", f"{path}/status", body)
    finally:
        end(both, path)
    real, simulated = ({what: asks_for_version(each[at]) for what, each in answers.items()} for at in (0, 1))
    assert simulated == real


def asks_for_version(answer: Any) -> Any:
    """Whether it is the version that is missing; of what else may be wrong, other tests ask."""
    found = refusal(comparable(answer))
    causes = found.get("causes", ()) if isinstance(found, dict) else ()
    return any("resourceVersion" in str(each) for each in causes)
