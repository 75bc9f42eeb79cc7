"""What a definition does to objects that are there, and what is said of its objects, on both API servers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.contract.sim.asking import await_served
from tests.contract.sim.both import Both, comparable
from tests.contract.sim.schema_cases import GROUP, TEXT, crd, of
from tests.support.apiserver import ApiServer

pytestmark = pytest.mark.real
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
LATERS = f"/apis/{GROUP}/v1/laters"
NAMES = {"plural": "laters", "kind": "Later"}
APPLY, MERGE = "application/apply-patch+yaml", "application/merge-patch+json"
TWICE = f"""
apiVersion: {GROUP}/v1
kind: Later
metadata:
  name: twice
spec:
  a: one
  b: two
  a: three
"""


@pytest.fixture(scope="module")  # one that is made anew meets the end of the one before
def both(api_server: ApiServer) -> Iterator[Both]:
    """Both with a definition."""
    made = Both(api_server)
    made.ask("POST", CRDS, later(of(a=TEXT, b=TEXT)))
    await_served(api_server, LATERS)
    yield made
    made.ask("DELETE", f"{CRDS}/laters.{GROUP}")


def later(spec: dict[str, Any]) -> dict[str, Any]:
    made = crd(spec)
    made["metadata"]["name"] = f"laters.{GROUP}"
    return made | {"spec": made["spec"] | {"names": NAMES}}


def test_a_default_that_comes_later_is_shown_in_objects_that_are_there(both: Both) -> None:
    both.ask("POST", LATERS, {"apiVersion": f"{GROUP}/v1", "kind": "Later", "metadata": {"name": "one"}, "spec": {}})
    with_default = later(of(a=TEXT | {"default": "given"}, b=TEXT))["spec"]["versions"]

    both.ask("PATCH", f"{CRDS}/laters.{GROUP}", {"spec": {"versions": with_default}}, media=MERGE)

    for _ in range(10_000):  # of a millisecond or more each
        real, simulated = both.ask("GET", f"{LATERS}/one")
        if real["spec"]:
            break
    assert simulated["spec"] == {"a": "given"}
    assert comparable(simulated) == comparable(real)


@pytest.mark.parametrize("wanted", ["Strict", "Warn", "Ignore"])
def test_a_field_that_is_applied_twice_is_refused_told_of_or_taken(both: Both, wanted: str) -> None:
    query = f"fieldManager=agree&dryRun=All&fieldValidation={wanted}"

    real, simulated = both.ask("PATCH", f"{LATERS}/twice", TWICE.encode(), query=query, media=APPLY)

    assert comparable(simulated) == comparable(real)
