"""Quotas and limits of namespaces refuse, allow and fill in the same things on the real API server and on ours.

Nobody counts here: what a quota's controller would say of it is written by the tests.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest
from tests.contract.sim.both import Both, comparable, in_namespace, refusal
from tests.contract.sim.kind_cases import of, pod
from tests.contract.sim.placing import MERGE, end, named, placed
from tests.contract.sim.quota_cases import CHANGES, CHARGED, GOOD, LIMITED, UPDATED, WRONG, claim, limit, quota, ranges
from tests.support.apiserver import ApiServer

pytestmark = pytest.mark.real
NAMESPACE = "quotas-agree"
HOME = f"/api/v1/namespaces/{NAMESPACE}"
LEASES = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases"
COUNTED = "count/leases.coordination.k8s.io"
NUMBERS = itertools.count()
LOOKS = 3000  # of a millisecond or more each
QUOTA = f"{HOME}/resourcequotas/one"
NAMED = re.compile(rb"some-[a-z0-9]{5}")
Body = dict[str, Any]


@pytest.fixture(scope="module")
def both(api_server: ApiServer) -> Iterator[Both]:
    """Both with a namespace."""
    with in_namespace(api_server, NAMESPACE) as made:
        made.ask("POST", f"{HOME}/resourcequotas", quota({}, name="last"))
        yield made


@pytest.mark.parametrize("case", GOOD)
def test_a_quota_or_a_range_is_made_and_changed_as_the_same_one(case: str, both: Both) -> None:
    with there(both, GOOD[case]) as path:
        agree(both, "PATCH", path, {"metadata": {"labels": {"added": "later"}}}, media=MERGE)
        agree(both, "PUT", path, GOOD[case])


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_one_is_refused_for_the_same_causes(case: str, both: Both) -> None:
    _, collection, _ = placed(both, WRONG[case], NAMESPACE)

    real, simulated = both.ask("POST", collection, named(WRONG[case]), query="dryRun=All")

    assert real["kind"] == "Status", real
    assert refusal(comparable(simulated)) == refusal(comparable(real))


@pytest.mark.parametrize("case", CHANGES)
def test_a_change_that_is_not_allowed_is_refused_for_the_same_causes(case: str, both: Both) -> None:
    given, change = CHANGES[case]
    with there(both, given) as path:
        real = agree(both, "PATCH", path, change, media=MERGE)
        assert real["code"] == 422


def test_what_a_status_says_is_judged_and_kept_apart_from_the_spec(both: Both) -> None:
    with there(both, quota({"cpu": "500m"})) as path:
        for status in ({"hard": {"cpu": "1000m"}, "used": {"cpu": "0.5"}}, {"hard": {"colour": "1"}}, {"hard": None}):
            agree(both, "PATCH", f"{path}/status", {"status": status, "spec": {"hard": {"cpu": "2"}}}, media=MERGE)
        agree(both, "PATCH", path, {"spec": {"hard": {"cpu": "3"}}, "status": {"hard": {"cpu": "4"}}}, media=MERGE)
        agree(both, "GET", f"{path}/status", None)


@pytest.mark.parametrize("case", CHARGED)
def test_a_new_object_is_charged_or_refused_alike(case: str, both: Both) -> None:
    given, body, hard, used = CHARGED[case]
    with counted(both, given, hard, used):
        agree_whole(both, body)
        agree(both, "GET", QUOTA, None)


@pytest.mark.parametrize("case", UPDATED)
def test_a_change_of_an_object_is_charged_or_refused_alike(case: str, both: Both) -> None:
    body, change, hard, used = UPDATED[case]
    with there(both, body) as path, counted(both, quota(), hard, used):
        same_words(both.ask("PATCH", path, change, media=MERGE))
        agree(both, "GET", QUOTA, None)


def test_a_dry_run_is_judged_and_not_charged(both: Both) -> None:
    with counted(both, quota(), {"configmaps": "1"}, {"configmaps": "0"}):
        agree(both, "POST", f"{HOME}/configmaps", of("ConfigMap"), query="dryRun=All")
        agree(both, "GET", QUOTA, None)
        agree(both, "PATCH", f"{QUOTA}/status", {"status": {"used": {"configmaps": "1"}}}, media=MERGE)
        same_words(both.ask("POST", f"{HOME}/configmaps", of("ConfigMap"), query="dryRun=All"))


def test_a_refusal_names_what_the_server_has_named(both: Both) -> None:
    with counted(both, quota(), {"configmaps": "1"}, {"configmaps": "1"}):
        answers = both.ask("POST", f"{HOME}/configmaps", {"metadata": {"generateName": "some-"}})
        same_words(tuple(msgspec.json.decode(NAMED.sub(b"some-X", msgspec.json.encode(each))) for each in answers))


def test_every_quota_that_means_an_object_is_charged_and_no_other(both: Both) -> None:
    hard, used = {"pods": "2", "count/pods": "9"}, {"pods": "1", "count/pods": "1"}
    others = {"two": ["BestEffort"], "three": ["NotBestEffort"]}
    with counted(both, quota(), hard, used):
        for name, scopes in others.items():
            agree(both, "POST", f"{HOME}/resourcequotas", quota(name=name, scopes=scopes))
            status = {"status": {"hard": {"pods": "1"}, "used": {"pods": "0"}}}
            agree(both, "PATCH", f"{HOME}/resourcequotas/{name}/status", status, media=MERGE)
        known(both)

        agree_whole(both, pod())

        for name in ("one", *others):
            agree(both, "GET", f"{HOME}/resourcequotas/{name}", None)
        for name in others:
            end(both, f"{HOME}/resourcequotas/{name}")


def test_a_quota_that_nobody_counted_limits_nothing(both: Both) -> None:
    with there(both, quota({"pods": "0"})):
        known(both)
        agree_whole(both, pod())


def test_a_quota_counts_a_type_that_somebody_defines(both: Both) -> None:
    names = {"plural": "things", "kind": "Thing"}
    schema = {"openAPIV3Schema": {"type": "object"}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema}
    spec = {"group": "quotas.example", "names": names, "scope": "Namespaced", "versions": [version]}
    body = of("CustomResourceDefinition", "apiextensions.k8s.io/v1", "things.quotas.example", spec=spec)
    definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    things = f"/apis/quotas.example/v1/namespaces/{NAMESPACE}/things"
    both.ask("POST", definitions, body)
    served(both, things)
    name = "count/things.quotas.example"
    thing = {"kind": "Thing", "apiVersion": "quotas.example/v1", "metadata": {"name": "a"}}
    with counted(both, quota({name: "1"}), {name: "1"}, {name: "0"}):
        agree(both, "POST", things, thing)
        agree(both, "GET", QUOTA, None)
        same_words(both.ask("POST", things, {**thing, "metadata": {"name": "b"}}))
    both.ask("DELETE", f"{definitions}/things.quotas.example")


@pytest.mark.parametrize("case", LIMITED)
def test_a_range_fills_in_and_refuses_the_same(case: str, both: Both) -> None:
    given, body = LIMITED[case]
    with fresh(both) as namespace, there(both, given, namespace):
        agree_whole(both, body, namespace)


def test_a_range_is_asked_about_claims_that_change_and_not_about_pods(both: Both) -> None:
    labels = {"metadata": {"labels": {"a": "b"}}}
    given = ranges(limit(max={"cpu": "1"}), limit("PersistentVolumeClaim", max={"storage": "1Mi"}))
    with fresh(both) as home, there(both, claim("1Gi"), home) as of_claim, there(both, pod(), home) as of_pod:
        agree(both, "POST", placed(both, given, home)[1], given)
        limited(both, home)
        same_words(both.ask("PATCH", of_claim, labels, media=MERGE))
        same_words(both.ask("PATCH", of_pod, labels, media=MERGE))


@contextmanager
def fresh(both: Both) -> Iterator[str]:
    """A namespace of which no server remembers anything."""
    name = f"{NAMESPACE}-{next(NUMBERS)}"
    both.ask("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
    yield name
    end(both, f"/api/v1/namespaces/{name}")


def limited(both: Both, namespace: str) -> None:
    """Wait until the real server knows of the limits of a namespace that had none before."""
    body, collection, _ = placed(both, claim("2Gi"), namespace)
    body["metadata"]["name"] = "two"
    for _ in range(LOOKS):
        if both.ask("POST", collection, body, query="dryRun=All")[0].get("code") == 403:
            return
    raise AssertionError("the real server does not know of its limits")


@contextmanager
def there(both: Both, given: Body, namespace: str = NAMESPACE) -> Iterator[str]:
    """An object that is there meanwhile; its path."""
    body, collection, path = placed(both, given, namespace)
    end(both, path)
    try:
        agree(both, "POST", collection, body)
        yield path
    finally:
        end(both, path)


@contextmanager
def counted(both: Both, given: Body, hard: dict[str, str], used: dict[str, str]) -> Iterator[None]:
    """A quota of which somebody has said how much is used."""
    with there(both, given) as path:
        agree(both, "PATCH", f"{path}/status", {"status": {"hard": hard, "used": used}}, media=MERGE)
        known(both)
        yield


def known(both: Both) -> None:
    """Wait until the real server knows of all quotas: admission follows them in their order, a moment later."""
    number = str(next(NUMBERS))
    told = {"status": {"hard": {COUNTED: number}, "used": {COUNTED: number}}}
    both.ask("PATCH", f"{HOME}/resourcequotas/last/status", told, media=MERGE)
    for _ in range(LOOKS):
        refused = both.ask("POST", LEASES, {"metadata": {"name": "probe"}}, query="dryRun=All")[0]
        if f"limited: {COUNTED}={number}" in refused.get("message", ""):
            return
    raise AssertionError("the real server does not know of its quotas")


def agree_whole(both: Both, given: Body, namespace: str = NAMESPACE) -> None:
    """Both make the same object, or refuse it in the same words."""
    body, collection, path = placed(both, given, namespace)
    end(both, path)
    try:
        same_words(both.ask("POST", collection, body))
    finally:
        end(both, path)


def same_words(answers: tuple[Any, ...]) -> None:
    """The answers are the same to the letter."""
    real, simulated = answers
    assert comparable(simulated) == comparable(real)


def agree(both: Both, method: str, path: str, body: object, *, query: str = "", media: str = "application/json") -> Any:
    """Both make the same of it; what the real one makes."""
    real, simulated = both.ask(method, path, body, query=query, media=media)
    assert refusal(comparable(simulated)) == refusal(comparable(real))
    return real


def served(both: Both, path: str) -> None:
    """Wait until the real one serves a new type."""
    for _ in range(LOOKS):
        if isinstance(found := both.ask("GET", path)[0], dict) and found["kind"] != "Status":
            return
    raise AssertionError(f"{path}: not served")
