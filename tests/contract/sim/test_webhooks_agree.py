"""Webhooks of the real API server and of the simulated one: what they are told, and what their answers do."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from tests.contract.sim.both import Both, comparable
from tests.support.apiserver import ApiServer, free_port
from tests.support.judge import Judge, Review, Says, patch, response

pytestmark = pytest.mark.real

CONFIGURATIONS = "/apis/admissionregistration.k8s.io/v1"
HOME = "/api/v1/namespaces/webhooks-agree"
MAPS = f"{HOME}/configmaps"
WHOLE = {
    "code": 422,
    "reason": "Invalid",
    "message": "no",
    "status": "Failure",
    "details": {"name": "x", "kind": "y", "causes": [{"reason": "FieldValueInvalid", "message": "m", "field": "data"}]},
}
LABEL = {"op": "add", "path": "/metadata/labels/seen", "value": "yes"}


def counted(review: Review) -> bytes:
    """One more in a label, whatever is there."""
    labels = review["request"]["object"]["metadata"]["labels"]
    told = {"op": "add", "path": "/metadata/labels/count", "value": f"{int(labels.get('count', '0')) + 1}"}
    return patch(review, told)


def first(review: Review) -> bytes:
    """The first of two that want to be asked again."""
    labels = review["request"]["object"]["metadata"]["labels"]
    told = {"op": "add", "path": "/metadata/labels/first", "value": labels.get("second", "none")}
    return patch(review, told)


SAYS: dict[str, Says | None] = {
    "allows": lambda review: response(review),
    "warns": lambda review: response(review, warnings=["cold", "cold", 'a "quoted" one']),
    "denies": lambda review: response(review, allowed=False),
    "denies-with-message": lambda review: response(review, allowed=False, status={"message": "no", "code": 409}),
    "denies-with-reason": lambda review: response(review, allowed=False, status={"reason": "Gone"}),
    "denies-with-all": lambda review: response(review, allowed=False, status=WHOLE),
    "denies-with-success": lambda review: response(review, allowed=False, status={"status": "Success", "code": 200}),
    "denies-and-warns": lambda review: response(review, allowed=False, warnings=["mind"]),
    "absent": lambda review: json.dumps({"kind": "AdmissionReview", "apiVersion": review["apiVersion"]}).encode(),
    "other-uid": lambda review: response(review, uid="other"),
    "other-version": lambda review: response(review).replace(b"admission.k8s.io/v1", b"admission.k8s.io/v1beta1"),
    "other-kind": lambda _: b'{"kind":"Pod","apiVersion":"v1"}',
    "no-kind": lambda _: b"{}",
    "no-json": lambda _: b"nonsense",
    "not-found": lambda _: (404, b"nothing here"),
    "broken": lambda _: (500, b"broken"),
    "refusing": lambda _: (403, b"who are you"),
    "overloaded": lambda _: (400, b""),
    "patches": lambda review: patch(review, LABEL),
    "patches-nothing": lambda review: patch(review),
    "patches-with-no-type": lambda review: response(review, patch="W10="),
    "patches-of-a-type": lambda review: response(review, patchType="JSONPatch"),
    "patches-otherwise": lambda review: response(review, patchType="Merge", patch="W10="),
    "patches-strangely": lambda review: response(review, patchType="Merge", patch="W3sib3AiOiJ0ZXN0In1d"),
    "patches-unreadably": lambda review: response(review, patchType="JSONPatch", patch="bm9uc2Vuc2U="),
    "patches-elsewhere": lambda review: patch(review, {"op": "remove", "path": "/data/nothing"}),
    "patches-wrongly": lambda review: patch(review, {"op": "add", "path": "/data", "value": 7}),
    "patches-unknown": lambda review: patch(review, {"op": "add", "path": "/colour", "value": "red"}),
    "patches-badly": lambda review: patch(review, {"op": "add", "path": "/data/a b", "value": "x"}),
    "first": first,
    "second": lambda review: patch(review, {"op": "add", "path": "/metadata/labels/second", "value": "two"}),
    "counted": counted,
    "silent": None,
    "reviewed": lambda review: response(review),
}
# What failed is told in the words of Go's libraries here.
TRANSPORT = ("unreachable", "no-json", "other-kind", "patches-unreadably", "patches-elsewhere")
MUTATING = (*(name for name in SAYS if name.startswith("patches")), "first", "second", "counted")
CONDITIONS = {
    "condition-holds": "object.data.size == 'large'",
    "condition-fails": "object.data.nothing == 'x'",
    "condition-of-request": "request.operation == 'UPDATE' && request.userInfo.username == 'admin'",
}


def hook(judge: Judge, name: str, at: str = "", **parts: Any) -> dict[str, Any]:
    """A webhook for objects that bear its name."""
    return {
        "name": f"{name}.agree.example",
        "clientConfig": judge.config(at or name),
        "rules": [{"operations": ["*"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"]}],
        "objectSelector": {"matchLabels": {"case": name}},
        "admissionReviewVersions": ["v1", "v1beta1"],
        "sideEffects": "None",
        "timeoutSeconds": 5,
        **parts,
    }


def validating(judge: Judge) -> list[dict[str, Any]]:
    """Whoever judges."""
    hooks = [hook(judge, name) for name in SAYS if name not in MUTATING]
    hooks += [hook(judge, f"{name}-open", name, failurePolicy="Ignore") for name in ("broken", "no-json", "denies")]
    nowhere = {**judge.config("x"), "url": f"https://127.0.0.1:{free_port()}/x"}
    hooks += [hook(judge, "unreachable", clientConfig=nowhere)]
    hooks += [hook(judge, "unreachable-open", clientConfig=nowhere, failurePolicy="Ignore")]
    hooks += [hook(judge, "of-no-service", clientConfig={"service": {"namespace": "default", "name": "gone"}})]
    hooks += [hook(judge, "old", "denies", admissionReviewVersions=["v1beta1"])]
    for each in hooks:
        if each["name"].startswith("silent"):
            each["timeoutSeconds"] = 1
    hooks += [hook(judge, "silent-open", "silent", failurePolicy="Ignore", timeoutSeconds=1)]
    hooks += [hook(judge, "patching-judge", "patches")]
    for name, expression in CONDITIONS.items():
        condition = [{"name": "it", "expression": expression}]
        hooks += [hook(judge, name, "denies", matchConditions=condition)]
        hooks += [hook(judge, f"{name}-open", "denies", matchConditions=condition, failurePolicy="Ignore")]
    hooks += [hook(judge, "elsewhere", "denies", namespaceSelector={"matchLabels": {"colour": "red"}})]
    cluster = [{"operations": ["*"], "apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*"], "scope": "Cluster"}]
    hooks += [hook(judge, "cluster-wide", "denies", rules=cluster)]
    return hooks


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    with Judge(dict(SAYS)).serving() as serving:
        yield serving


@pytest.fixture(scope="module")
def both(api_server: ApiServer, judge: Judge) -> Iterator[Both]:
    both = Both(api_server)
    both.ask("POST", "/api/v1/namespaces", {"metadata": {"name": "webhooks-agree"}})
    mutating = [hook(judge, name) for name in MUTATING]
    for each in mutating:
        if each["name"].startswith(("first", "counted")):
            each["reinvocationPolicy"] = "IfNeeded"
        if each["name"].startswith(("first", "second", "counted")):
            each["objectSelector"] = {"matchLabels": {"case": "again"}}
    for kind, hooks in (("validating", validating(judge)), ("mutating", mutating)):
        made = both.ask(
            "POST", f"{CONFIGURATIONS}/{kind}webhookconfigurations", {"metadata": {"name": "agree"}, "webhooks": hooks}
        )
        assert comparable(made[0]) == comparable(made[1])
    for case, claim in (("denies", lambda answer: answer.get("code")), ("patches", is_seen)):
        for _ in range(2000):  # of some milliseconds each: the real one reads configurations from a cache
            if claim(both.ask("POST", MAPS, config_map("ready", case), query="dryRun=All")[0]):
                break
        else:
            raise AssertionError("the real API server does not ask")
    judge.taken()
    yield both
    for kind in ("validating", "mutating"):
        both.ask("DELETE", f"{CONFIGURATIONS}/{kind}webhookconfigurations/agree")


def is_seen(answer: Any) -> bool:
    return bool(answer["metadata"]["labels"].get("seen"))


def config_map(name: str, case: str, **data: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": {"case": case}}, "data": {"size": "large", **data}}


def told(answer: Any, *, in_whole: bool = True) -> Any:
    """An answer without what no two servers have in common; of failed transports without what Go says."""
    shown = comparable(answer)
    if in_whole or shown.get("kind") != "Status":
        return shown
    begin, found = re.subn(
        r"(failed to call webhook|in webhook response): .*", r"\1", shown["message"], flags=re.DOTALL
    )
    return {**shown, "message": begin if found else "", "details": len(shown["details"]["causes"])}


CASES = sorted(
    {
        *(name for name in SAYS if name not in ("first", "second", "counted", "silent")),
        *("broken-open", "no-json-open", "denies-open", "unreachable", "unreachable-open", "of-no-service", "old"),
        *("elsewhere", "cluster-wide", "again", "patching-judge"),
        *CONDITIONS,
        *(f"{name}-open" for name in CONDITIONS),
    }
)


@pytest.mark.parametrize("case", CASES)
def test_what_a_webhook_answers_has_the_same_effect(both: Both, case: str) -> None:
    real, simulated = both.ask("POST", MAPS, config_map(f"made-{case}", case))
    in_whole = case not in TRANSPORT
    assert told(simulated, in_whole=in_whole) == told(real, in_whole=in_whole)
    real, simulated = both.ask("POST", MAPS, config_map(f"dry-{case}", case), query="dryRun=All")
    assert told(simulated, in_whole=in_whole) == told(real, in_whole=in_whole)


@pytest.mark.parametrize("case", ["silent", "silent-open"])
def test_a_webhook_that_says_nothing_in_its_time(both: Both, case: str) -> None:
    real, simulated = both.ask("POST", MAPS, config_map(f"made-{case}", case))
    assert told(simulated) == told(real)


def test_webhooks_hear_the_same_of_every_kind_of_write(both: Both, judge: Judge) -> None:
    judge.taken()
    path = f"{MAPS}/reviewed"
    config = {"kind": "ConfigMap", "apiVersion": "v1", **config_map("reviewed", "reviewed")}
    apply = {"media": "application/apply-patch+yaml"}
    courses: list[tuple[Any, ...]] = [
        ("POST", MAPS, config_map("reviewed", "reviewed"), {"query": "fieldManager=me&fieldValidation=Strict"}),
        ("PUT", path, config_map("reviewed", "reviewed", colour="red"), {}),
        ("PATCH", path, {"data": {"colour": "blue"}}, {"media": "application/merge-patch+json", "query": "dryRun=All"}),
        ("PATCH", path, {"data": {"colour": "blue"}}, {"media": "application/merge-patch+json"}),
        ("PATCH", path, config, {**apply, "query": "fieldManager=mine&force=true"}),
        ("PATCH", path, {"metadata": {"labels": {"case": None}}}, {"media": "application/merge-patch+json"}),
        ("PATCH", path, {"metadata": {"labels": {"case": "reviewed"}}}, {"media": "application/merge-patch+json"}),
        ("DELETE", path, {"gracePeriodSeconds": 0, "propagationPolicy": "Background"}, {"query": ""}),
        ("PATCH", path, config, {**apply, "query": "fieldManager=mine"}),
        ("POST", MAPS, {"metadata": {"generateName": "x-", "labels": {"case": "reviewed"}}}, {}),
        ("DELETE", MAPS, None, {"query": "labelSelector=case=reviewed"}),
    ]
    for method, at, body, more in courses:
        both.ask(method, at, body, **more)
        heard = [(where, shown(review)) for where, review in judge.taken()]
        half = len(heard) // 2
        # A real server deletes many at once.
        assert sorted(heard[:half], key=repr) == sorted(heard[half:], key=repr), (method, body)
        assert heard


def shown(review: Review) -> Any:
    """A review as two servers can have it in common."""
    found = comparable(review)
    found["request"]["userInfo"].pop("extra", None)
    if found["request"].get("name", "").startswith("x-"):
        found["request"]["name"] = "x-"
    for each in (found["request"]["object"], found["request"]["oldObject"]):
        if each:
            each["metadata"].pop("resourceVersion", None)
            # Two writes in one second stand in another order than two of different seconds.
            each["metadata"]["managedFields"].sort(key=lambda entry: (entry["manager"], entry["operation"]))
            each["metadata"]["name"] = re.sub("^x-.*", "x-", each["metadata"].get("name", ""))
    return found
