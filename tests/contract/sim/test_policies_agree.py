"""Admission policies of the real API server and of the simulated one: how they are kept, and what they refuse."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.contract.sim.both import Both, comparable, refusal_of_rules
from tests.support.apiserver import ApiServer

pytestmark = pytest.mark.real

GROUP = "/apis/admissionregistration.k8s.io/v1"
POLICIES, BINDINGS = f"{GROUP}/validatingadmissionpolicies", f"{GROUP}/validatingadmissionpolicybindings"
NAMESPACE = "policies-agree"
MAPS = f"/api/v1/namespaces/{NAMESPACE}/configmaps"
RULE = {"operations": ["CREATE", "UPDATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"]}
PARAMS = {"paramKind": {"apiVersion": "v1", "kind": "ConfigMap"}}
Body = dict[str, Any]


def rule(expression: str, **parts: Any) -> Body:
    return {"validations": [{"expression": expression, **parts}]}


SIZE = "object.data.size == 'small'"
# By name: what the policy says, and what its binding.
SPECS: dict[str, tuple[Body, Body]] = {
    "plain": (rule(SIZE), {}),
    "holds": (rule("object.data.size == 'large'"), {}),
    "message": (rule(SIZE, message=" too large "), {}),
    "reason": (rule(SIZE, reason="Forbidden"), {}),
    "large": (rule(SIZE, reason="RequestEntityTooLarge"), {}),
    "words": (rule(SIZE, message="m", messageExpression="'is ' + object.data.size"), {}),
    "bad-words": (rule(SIZE, message="m", messageExpression="string(object.data.nothing)"), {}),
    "lines": (rule(SIZE, message="m", messageExpression="'a\\nb'"), {}),
    "blank-words": (rule(SIZE, messageExpression="' '"), {}),
    "two": ({"validations": [{"expression": SIZE, "message": "one"}, {"expression": "false", "message": "two"}]}, {}),
    "fails": (rule("object.data.nothing == 'x'"), {}),
    "fails-open": (rule("object.data.nothing == 'x'") | {"failurePolicy": "Ignore"}, {}),
    "denies-open": (rule(SIZE) | {"failurePolicy": "Ignore"}, {}),
    "warns": (rule(SIZE), {"validationActions": ["Warn"]}),
    "audits": (rule(SIZE), {"validationActions": ["Audit"]}),
    "denies-and-audits": (rule(SIZE), {"validationActions": ["Deny", "Audit"]}),
    "condition": (rule("false") | {"matchConditions": [{"name": "c", "expression": SIZE}]}, {}),
    "bad-condition": (rule("true") | {"matchConditions": [{"name": "c", "expression": "object.data.no == 'x'"}]}, {}),
    "variables": (
        rule("variables.twice == 'small'", messageExpression="'twice ' + variables.twice")
        | {
            "variables": [
                {"name": "size", "expression": "object.data.size"},
                {"name": "twice", "expression": "variables.size + variables.size"},
            ]
        },
        {},
    ),
    "bad-variable": (rule("variables.no == 'x'") | {"variables": [{"name": "no", "expression": "object.data.no"}]}, {}),
    "unused-variable": (rule("true") | {"variables": [{"name": "no", "expression": "object.data.no"}]}, {}),
    "namespace": (rule("namespaceObject.metadata.name != 'policies-agree'"), {}),
    "requested": (rule("request.operation != 'CREATE' || request.name == 'x'", message="not so"), {}),
    "excluded": (rule("false"), {"matchResources": {"excludeResourceRules": [RULE]}}),
    "elsewhere": (rule("false"), {"matchResources": {"namespaceSelector": {"matchLabels": {"colour": "red"}}}}),
    "params": (
        rule("object.data.size == params.data.size", messageExpression="'expected ' + params.data.size") | PARAMS,
        {"paramRef": {"name": "parameters", "namespace": NAMESPACE, "parameterNotFoundAction": "Deny"}},
    ),
    "params-here": (
        rule("object.data.size == params.data.size") | PARAMS,
        {"paramRef": {"name": "parameters", "parameterNotFoundAction": "Deny"}},
    ),
    "params-chosen": (
        rule("params.data.size != 'tiny'") | PARAMS,
        {"paramRef": {"selector": {"matchLabels": {"of": "params"}}, "parameterNotFoundAction": "Deny"}},
    ),
    "no-params": (
        rule("false") | PARAMS,
        {"paramRef": {"name": "nobody", "namespace": NAMESPACE, "parameterNotFoundAction": "Deny"}},
    ),
    "no-params-allowed": (
        rule("false") | PARAMS,
        {"paramRef": {"name": "nobody", "namespace": NAMESPACE, "parameterNotFoundAction": "Allow"}},
    ),
    "no-reference": (rule("params != null", message="there is none") | PARAMS, {}),
}


def policy(name: str) -> Body:
    """It is about objects that bear its name."""
    match = {"resourceRules": [RULE], "objectSelector": {"matchLabels": {"case": name}}}
    return {"metadata": {"name": f"agree-{name}"}, "spec": {"matchConstraints": match, **SPECS[name][0]}}


def binding(name: str) -> Body:
    spec = {"policyName": f"agree-{name}", "validationActions": ["Deny"], **SPECS[name][1]}
    return {"metadata": {"name": f"agree-{name}"}, "spec": spec}


@pytest.fixture(scope="module")
def both(api_server: ApiServer) -> Iterator[Both]:
    made = Both(api_server)
    made.ask("POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
    parameters = {"metadata": {"name": "parameters", "labels": {"of": "params"}}, "data": {"size": "tiny"}}
    made.ask("POST", MAPS, parameters)
    for name in SPECS:
        for path, body in ((POLICIES, policy(name)), (BINDINGS, binding(name))):
            real, simulated = made.ask("POST", path, body)
            assert comparable(simulated) == comparable(real)
    for name in (list(SPECS)[-1], "params"):  # who knows the last one knows all, and has what they refer to
        await_ready(made, name)
    yield made
    for name in SPECS:
        made.ask("DELETE", f"{BINDINGS}/agree-{name}")
        made.ask("DELETE", f"{POLICIES}/agree-{name}")


def await_ready(both: Both, case: str) -> None:
    """The real server reads policies and parameters from caches."""
    for _ in range(3000):  # of some milliseconds each
        if "denied request: " in str(both.ask("POST", MAPS, config_map("ready", case), query="dryRun=All")[0]):
            return
    raise AssertionError("the real API server does not judge")


def config_map(name: str, case: str) -> Body:
    return {"metadata": {"name": name, "labels": {"case": case}}, "data": {"size": "large"}}


@pytest.mark.parametrize("case", SPECS)
def test_a_policy_lets_pass_and_refuses_the_same(both: Both, case: str) -> None:
    real, simulated = both.ask("POST", MAPS, config_map(f"made-{case}", case))
    assert comparable(simulated) == comparable(real)
    real, simulated = both.ask("PUT", f"{MAPS}/parameters", config_map("parameters", case), query="dryRun=All")
    assert comparable(simulated) == comparable(real)


RULED = {"resourceRules": [RULE], "objectSelector": {"matchLabels": {"nobody": "this"}}}
WRONG: dict[str, Body] = {
    "nothing": {},
    "no rules": {"matchConstraints": {}, **rule("true")},
    "no validations": {"matchConstraints": RULED},
    "failure": {"matchConstraints": RULED, "failurePolicy": "Maybe", **rule("true")},
    "no expression": {"matchConstraints": RULED, **rule("")},
    "no sense": {"matchConstraints": RULED, **rule("object.")},
    "no truth": {"matchConstraints": RULED, **rule("'x'")},
    "unknown variable": {"matchConstraints": RULED, **rule("thing")},
    "message": {"matchConstraints": RULED, **rule("true", message="a\nb")},
    "blank message": {"matchConstraints": RULED, **rule("true", message=" ")},
    "blank words": {"matchConstraints": RULED, **rule("true", messageExpression=" ")},
    "no words": {"matchConstraints": RULED, **rule("true", messageExpression="1")},
    "unknown words": {"matchConstraints": RULED, **rule("true", messageExpression="object.data.size")},
    "unknown truth": {"matchConstraints": RULED, **rule("object.data.size")},
    "reason": {"matchConstraints": RULED, **rule("true", reason="Gone")},
    "match": {"matchConstraints": RULED | {"matchPolicy": "Nearly"}, **rule("true")},
    "operation": {"matchConstraints": {"resourceRules": [RULE | {"operations": ["READ"]}]}, **rule("true")},
    "names twice": {"matchConstraints": {"resourceRules": [RULE | {"resourceNames": ["a", "a"]}]}, **rule("true")},
    "kind": {"matchConstraints": RULED, "paramKind": {"apiVersion": "", "kind": ""}, **rule("true")},
    "kind of nothing": {"matchConstraints": RULED, "paramKind": {"apiVersion": "a/b/c", "kind": "A b"}, **rule("true")},
    "variable": {"matchConstraints": RULED, "variables": [{"name": "a b", "expression": "1"}], **rule("true")},
    "empty variable": {"matchConstraints": RULED, "variables": [{"name": "", "expression": ""}], **rule("true")},
    "condition": {"matchConstraints": RULED, "matchConditions": [{"name": "", "expression": "1 +"}], **rule("true")},
}
WRONG_BINDINGS: dict[str, Body] = {
    "nothing": {},
    "name": {"policyName": "A b", "validationActions": ["Deny"]},
    "no action": {"policyName": "a", "validationActions": []},
    "action": {"policyName": "a", "validationActions": ["Shout"]},
    "twice": {"policyName": "a", "validationActions": ["Deny", "Deny"]},
    "deny and warn": {"policyName": "a", "validationActions": ["Deny", "Warn"]},
    "no reference": {"policyName": "a", "validationActions": ["Deny"], "paramRef": {}},
    "two references": {
        "policyName": "a",
        "validationActions": ["Deny"],
        "paramRef": {"name": "a", "selector": {}, "parameterNotFoundAction": "Deny"},
    },
    "not found": {
        "policyName": "a",
        "validationActions": ["Deny"],
        "paramRef": {"name": "a", "parameterNotFoundAction": "Maybe"},
    },
    "selector": {
        "policyName": "a",
        "validationActions": ["Deny"],
        "matchResources": {"objectSelector": {"matchExpressions": [{"key": "a", "operator": "Near"}]}},
    },
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_policy_is_refused_for_the_same_reasons(both: Both, case: str) -> None:
    real, simulated = both.ask("POST", POLICIES, {"metadata": {"name": "wrong"}, "spec": WRONG[case]})
    assert refusal_of_rules(simulated) == refusal_of_rules(real)


@pytest.mark.parametrize("case", WRONG_BINDINGS)
def test_a_wrong_binding_is_refused_for_the_same_reasons(both: Both, case: str) -> None:
    real, simulated = both.ask("POST", BINDINGS, {"metadata": {"name": "wrong"}, "spec": WRONG_BINDINGS[case]})
    assert refusal_of_rules(simulated) == refusal_of_rules(real)
