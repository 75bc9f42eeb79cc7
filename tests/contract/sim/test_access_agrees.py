"""Who may do what, who somebody is, acting as others, and tokens of service accounts, on both API servers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.contract.sim.both import Both, comparable, refusal
from tests.contract.sim.kind_cases import pod
from tests.support.apiserver import ApiServer

pytestmark = pytest.mark.real
NAMESPACE = "access-agrees"
CORE = f"/api/v1/namespaces/{NAMESPACE}"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
RIGHTS, IDENTITY = "/apis/authorization.k8s.io/v1", "/apis/authentication.k8s.io/v1"
ANN = {"Impersonate-User": "ann"}
BOT = {"Impersonate-User": f"system:serviceaccount:{NAMESPACE}:bot"}
READS = [{"verbs": ["get", "list"], "apiGroups": [""], "resources": ["configmaps"]}]
TOKEN = f"{CORE}/serviceaccounts/bot/token"
GET = {"verb": "get", "resource": "configmaps", "namespace": NAMESPACE}


@pytest.fixture(scope="module")
def both(api_server: ApiServer) -> Iterator[Both]:
    """Both with a namespace, in which ann may read what is not secret."""
    made = Both(api_server)
    made.ask("POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
    subjects = [{"kind": "User", "name": "ann"}, {"kind": "ServiceAccount", "name": "bot", "namespace": NAMESPACE}]
    role = {"kind": "Role", "name": "reads", "apiGroup": "rbac.authorization.k8s.io"}
    made.ask("POST", f"{RBAC}/namespaces/{NAMESPACE}/roles", {"metadata": {"name": "reads"}, "rules": READS})
    named = [{"verbs": ["list", "watch"], "apiGroups": [""], "resources": ["secrets"], "resourceNames": ["held"]}]
    made.ask("POST", f"{RBAC}/namespaces/{NAMESPACE}/roles", {"metadata": {"name": "reads-one"}, "rules": named})
    eve = {"roleRef": {**role, "name": "reads-one"}, "subjects": [{"kind": "User", "name": "eve"}]}
    made.ask("POST", f"{RBAC}/namespaces/{NAMESPACE}/rolebindings", {"metadata": {"name": "one"}, **eve})
    binding = {"metadata": {"name": "binds"}, "roleRef": role, "subjects": subjects}
    made.ask("POST", f"{RBAC}/namespaces/{NAMESPACE}/rolebindings", binding)
    made.ask("POST", f"{CORE}/serviceaccounts", {"metadata": {"name": "bot"}})
    made.ask("POST", f"{CORE}/secrets", {"metadata": {"name": "held"}})
    body = pod() | {"metadata": {"name": "of-bot"}}
    body["spec"] = {**body["spec"], "serviceAccountName": "bot"}
    made.ask("POST", f"{CORE}/pods", body)
    made.ask("POST", f"{CORE}/pods", pod() | {"metadata": {"name": "of-nobody"}})
    yield made
    made.ask("DELETE", f"/api/v1/namespaces/{NAMESPACE}")


def agree(both: Both, method: str, path: str, body: object = None, **how: Any) -> tuple[Any, Any]:
    """Both answer the same, but for the token itself."""
    answers = both.ask(method, path, body, **how)
    real, simulated = (shown(answer) for answer in answers)
    assert simulated == real
    return answers


def shown(answer: Any) -> Any:
    found = refusal(comparable(answer))
    if isinstance(found, dict) and isinstance(answer, dict):
        found["message"] = answer.get("message")
        status = found.get("status")
        if isinstance(status, dict) and '"system:' in str(status.get("reason")):
            status["reason"] = "RBAC: one of the first roles"  # of which a real server takes any
        found.get("status", {}).pop("token", None) if isinstance(found.get("status"), dict) else None
    return found


@pytest.mark.parametrize(
    "attributes",
    [
        GET,
        {**GET, "verb": "delete"},
        {**GET, "namespace": "elsewhere"},
        {**GET, "name": "x", "subresource": "status"},
        {"verb": "create", "group": "authorization.k8s.io", "resource": "selfsubjectaccessreviews"},
    ],
)
def test_whether_somebody_may_is_told_with_the_reason(attributes: dict[str, str], both: Both) -> None:
    asked = {"resourceAttributes": attributes}
    agree(both, "POST", f"{RIGHTS}/subjectaccessreviews", {"spec": {**asked, "user": "ann"}})
    agree(both, "POST", f"{RIGHTS}/selfsubjectaccessreviews", {"spec": asked})
    agree(both, "POST", f"{RIGHTS}/selfsubjectaccessreviews", {"spec": asked}, headers=ANN)
    agree(both, "POST", f"{RIGHTS}/selfsubjectaccessreviews", {"spec": asked}, headers=BOT)
    local = f"{RIGHTS}/namespaces/{NAMESPACE}/localsubjectaccessreviews"
    agree(both, "POST", local, {"spec": {**asked, "user": "ann"}})


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"user": "ann"},
        {"resourceAttributes": GET},
        {"resourceAttributes": GET, "nonResourceAttributes": {"path": "/x", "verb": "get"}, "user": "ann"},
        {"nonResourceAttributes": {"path": "/version", "verb": "get"}, "user": "ann"},
        {"nonResourceAttributes": {"path": "/version", "verb": "get"}, "groups": ["system:authenticated"]},
    ],
)
def test_a_question_that_makes_no_sense_is_refused_alike(spec: dict[str, Any], both: Both) -> None:
    agree(both, "POST", f"{RIGHTS}/subjectaccessreviews", {"spec": spec})
    agree(both, "POST", f"{RIGHTS}/selfsubjectaccessreviews", {"spec": {k: v for k, v in spec.items() if k != "user"}})


@pytest.mark.parametrize("plural", ["clusterroles", "clusterrolebindings"])
def test_a_server_begins_with_the_role_of_administrators(plural: str, both: Both) -> None:
    agree(both, "GET", f"{RBAC}/{plural}/cluster-admin")


def test_who_one_is_is_told(both: Both) -> None:
    for headers in (ANN, BOT, ANN | {"Impersonate-Group": "g", "Impersonate-Extra-Scope": "s"}):
        agree(both, "POST", f"{IDENTITY}/selfsubjectreviews", {}, headers=headers)


def test_what_one_may_in_a_namespace_is_told(both: Both) -> None:
    answers = both.ask("POST", f"{RIGHTS}/selfsubjectrulesreviews", {"spec": {"namespace": NAMESPACE}}, headers=ANN)
    for answer in answers:
        rules = answer["status"]["resourceRules"]
        assert {"verbs": ["get", "list"], "apiGroups": [""], "resources": ["configmaps"]} in rules
        assert answer["status"]["nonResourceRules"]
    agree(both, "POST", f"{RIGHTS}/selfsubjectrulesreviews", {"spec": {}})


@pytest.mark.parametrize(
    "headers",
    [
        ANN,
        BOT,
        ANN | {"Impersonate-Uid": "7"},
        {"Impersonate-Group": "g"},
        {"Impersonate-User": "system:anonymous"},
        {"Impersonate-User": "eve", "Impersonate-Group": "system:masters"},
    ],
)
def test_whoever_acts_as_another_is_judged_as_that_one(headers: dict[str, str], both: Both) -> None:
    agree(both, "GET", f"{CORE}/configmaps/none", headers=headers)
    agree(both, "GET", f"{CORE}/secrets/none", headers=headers)


@pytest.mark.parametrize(
    "selector",
    [
        "metadata.name=held",
        "metadata.name==held",
        f"metadata.name=held,metadata.namespace={NAMESPACE}",
        "metadata.name!=held",
        "metadata.name=other",
        "metadata.name=",
        "metadata.name=..",
        "metadata.name=a/b",
        "type=Opaque",
        "no.such.field=held",
        "senseless",
        "",
    ],
)
def test_who_may_read_one_by_name_may_list_it_by_a_selector_and_no_other(selector: str, both: Both) -> None:
    query = f"fieldSelector={selector}"
    answers = both.ask("GET", f"{CORE}/secrets", query=query, headers={"Impersonate-User": "eve"})
    real, simulated = (
        [each["metadata"]["name"] for each in answer.get("items", ())] or shown(answer) for answer in answers
    )
    assert simulated == real
    assert (real == ["held"]) is ("=held" in selector and "!" not in selector and "no." not in selector)


@pytest.mark.parametrize("media", ["application/json;as=Table;v=v1;g=meta.k8s.io"])
def test_an_answer_to_a_question_is_no_table(media: str, both: Both) -> None:
    spec = {"resourceAttributes": GET}
    agree(both, "POST", f"{RIGHTS}/selfsubjectaccessreviews", {"spec": spec}, headers={"Accept": media})


def bound(kind: str, name: str, **more: str) -> dict[str, Any]:
    return {"boundObjectRef": {"kind": kind, "apiVersion": "v1", "name": name, **more}}


SPECS: tuple[dict[str, Any], ...] = (
    {},
    {"audiences": ["a", "b"], "expirationSeconds": 700},
    {"expirationSeconds": 5},
    {"expirationSeconds": 1 << 33},
    bound("Pod", "of-bot"),
    {**bound("Pod", "of-bot"), "expirationSeconds": 3607},
    bound("Pod", "of-nobody"),
    bound("Pod", "none"),
    bound("Pod", "of-bot", uid="wrong"),
    bound("Secret", "held"),
    bound("ConfigMap", "held"),
)


@pytest.mark.parametrize("number", range(len(SPECS)))
def test_a_token_is_given_or_refused_alike_and_proves_the_same(number: int, both: Both) -> None:
    answers = agree(both, "POST", TOKEN, {"spec": SPECS[number]})

    if "token" in (answers[0].get("status") or ()):
        for audiences in ([], ["a"], ["nobody"]):
            real, simulated = (
                both.ask("POST", f"{IDENTITY}/tokenreviews", {"spec": {"token": each, "audiences": audiences}})[index]
                for index, each in enumerate(answer["status"]["token"] for answer in answers)
            )
            assert without_error(shown(simulated)) == without_error(shown(real))


def test_what_is_no_token_proves_nothing(both: Both) -> None:
    for spec in ({"token": "x"}, {"token": "a.b.c"}, {}):
        real, simulated = both.ask("POST", f"{IDENTITY}/tokenreviews", {"spec": spec})
        assert without_error(shown(simulated)) == without_error(shown(real))


def test_a_token_is_asked_of_an_account_that_is_there(both: Both) -> None:
    agree(both, "POST", TOKEN.replace("/bot/", "/none/"), {"spec": {}})
    agree(both, "POST", TOKEN, {"metadata": {"name": "other"}, "spec": {}})


def without_error(answer: Any) -> Any:
    """Why a token proves nothing is for people, and names what checked it."""
    if isinstance(answer, dict) and isinstance(answer.get("status"), dict) and "error" in answer["status"]:
        answer["status"]["error"] = "why"
    if isinstance(answer, dict) and isinstance(answer.get("spec"), dict):
        answer["spec"].pop("token", None)
    return answer
