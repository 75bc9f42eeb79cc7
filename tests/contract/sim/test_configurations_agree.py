"""Configurations of webhooks that are wrong, before both API servers."""

from __future__ import annotations

from typing import Any

import pytest
from tests.contract.sim.both import Both, refusal_of_rules
from tests.support.apiserver import ApiServer

pytestmark = pytest.mark.real

RULE = {"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}
SERVICE = {"namespace": "n", "name": "s"}
ONE: dict[str, Any] = {
    "name": "one.wrong.example",
    "clientConfig": {"service": SERVICE},
    "rules": [RULE],
    "sideEffects": "None",
    "admissionReviewVersions": ["v1"],
    # Of nobody: these are made on a server that others use.
    "objectSelector": {"matchLabels": {"nobody": "this"}},
}


def ruled(**parts: Any) -> dict[str, Any]:
    return ONE | {"rules": [RULE | parts]}


def reached(**parts: Any) -> dict[str, Any]:
    return ONE | {"clientConfig": parts}


def conditioned(*conditions: dict[str, str]) -> dict[str, Any]:
    return ONE | {"matchConditions": list(conditions)}


HOOKS: dict[str, dict[str, Any]] = {
    "sound": ONE,
    "of all": ONE
    | {"timeoutSeconds": 30, "failurePolicy": "Ignore", "matchPolicy": "Exact", "sideEffects": "NoneOnDryRun"},
    "no name": {key: each for key, each in ONE.items() if key != "name"},
    "short name": ONE | {"name": "one.two"},
    "bad name": ONE | {"name": "One_Two.three.four"},
    "side effects": ONE | {"sideEffects": "Some"},
    "no side effects": {key: each for key, each in ONE.items() if key != "sideEffects"},
    "no versions": ONE | {"admissionReviewVersions": []},
    "unknown versions": ONE | {"admissionReviewVersions": ["v7"]},
    "versions twice": ONE | {"admissionReviewVersions": ["v1", "v1"]},
    "bad version": ONE | {"admissionReviewVersions": ["v1", "1a"]},
    "too short": ONE | {"timeoutSeconds": 0},
    "too long": ONE | {"timeoutSeconds": 31},
    "failure": ONE | {"failurePolicy": "Maybe"},
    "match": ONE | {"matchPolicy": "Nearly"},
    "no operations": ruled(operations=[]),
    "operations": ruled(operations=["*", "CREATE"]),
    "unknown operation": ruled(operations=["READ"]),
    "groups": ruled(apiGroups=["*", "apps"]),
    "no groups": ruled(apiGroups=[]),
    "no versions of API": ruled(apiVersions=[]),
    "empty version": ruled(apiVersions=[""]),
    "versions": ruled(apiVersions=["*", "v1"]),
    "no resources": ruled(resources=[]),
    "empty resource": ruled(resources=[""]),
    "resources": ruled(resources=["*", "pods"]),
    "all of all": ruled(resources=["*/*", "pods"]),
    "all subresources": ruled(resources=["pods/*", "pods/status"]),
    "status of all": ruled(resources=["*/status", "pods/status"]),
    "scope": ruled(scope="World"),
    "no way": reached(),
    "two ways": reached(url="https://x.y/z", service=SERVICE),
    "plain": reached(url="http://x.y/z"),
    "no host": reached(url="https:///z"),
    "user": reached(url="https://me@x.y/z"),
    "fragment": reached(url="https://x.y/z#a"),
    "query": reached(url="https://x.y/z?a=b"),
    "no service": reached(service={"namespace": "", "name": ""}),
    "port": reached(service=SERVICE | {"port": 70000}),
    "path": reached(service=SERVICE | {"path": "p"}),
    "empty step": reached(service=SERVICE | {"path": "/p//q"}),
    "bad step": reached(service=SERVICE | {"path": "/P_/q"}),
    "selector": ONE | {"namespaceSelector": {"matchExpressions": [{"key": "a", "operator": "In"}]}},
    "operator": ONE | {"objectSelector": {"matchExpressions": [{"key": "a", "operator": "Near"}]}},
    "no expression": conditioned({"name": "a", "expression": ""}),
    "no name of it": conditioned({"name": "", "expression": "true"}),
    "bad name of it": conditioned({"name": "a b", "expression": "true"}),
    "names twice": conditioned({"name": "a", "expression": "true"}, {"name": "a", "expression": "true"}),
    "no truth": conditioned({"name": "a", "expression": "1"}),
    "no sense": conditioned({"name": "a", "expression": "object.spec +"}),
    "unknown variable": conditioned({"name": "a", "expression": "thing.spec == 1"}),
}


@pytest.fixture(scope="module")
def both(api_server: ApiServer) -> Both:
    return Both(api_server)


@pytest.mark.parametrize("kind", ["validating", "mutating"])
@pytest.mark.parametrize("case", HOOKS)
def test_a_configuration_is_kept_or_refused_for_the_same_reasons(both: Both, case: str, kind: str) -> None:
    again = {"reinvocationPolicy": "IfNeeded"} if kind == "mutating" and case == "of all" else {}
    judge(both, kind, [HOOKS[case] | again])


@pytest.mark.parametrize("kind", ["validating", "mutating"])
def test_two_webhooks_of_one_name_are_refused(both: Both, kind: str) -> None:
    judge(both, kind, [ONE, ONE])


def test_an_unknown_way_to_be_asked_again_is_refused(both: Both) -> None:
    judge(both, "mutating", [ONE | {"reinvocationPolicy": "Always"}])


def judge(both: Both, kind: str, hooks: list[dict[str, Any]]) -> None:
    path = f"/apis/admissionregistration.k8s.io/v1/{kind}webhookconfigurations"
    real, simulated = both.ask("POST", path, {"metadata": {"name": "wrong"}, "webhooks": hooks})
    assert refusal_of_rules(simulated) == refusal_of_rules(real)
    both.ask("DELETE", f"{path}/wrong")
