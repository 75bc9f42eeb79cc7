"""The simulated API server compiles and keeps the rules of CRDs as the real one does."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.contract.sim.asking import ask, await_served, verdict, verdict_of
from tests.contract.sim.rule_cases import KEPT_OR_BROKEN, RULED, RULES, UPDATES
from tests.contract.sim.schema_cases import GROUP, crd
from tests.support.apiserver import ApiServer

from homeostat.sim.apiserver.schemas import definitions
from homeostat.sim.apiserver.schemas.custom import CustomType

pytestmark = pytest.mark.real
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
OBJECTS = f"/apis/{GROUP}/v1/ruleds"
ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("case", RULES)
def test_a_rule_is_refused_for_the_same_causes(case: str, api_server: ApiServer) -> None:
    sent = copy.deepcopy(RULES[case])

    answer, _ = ask(api_server, "POST", f"{CRDS}?dryRun=All", sent)

    definitions.set_defaults(sent)
    causes = definitions.definition_causes(sent)
    name = sent["metadata"]["name"]
    assert verdict_of("apiextensions.k8s.io", "CustomResourceDefinition", name, causes) == verdict(answer)


@pytest.mark.parametrize("case", KEPT_OR_BROKEN)
def test_an_object_breaks_the_same_rules(case: str, api_server: ApiServer, ruleds: CustomType) -> None:
    sent = _ruled("one", KEPT_OR_BROKEN[case])

    answer, _ = ask(api_server, "POST", f"{OBJECTS}?dryRun=All", sent)

    assert verdict_of(GROUP, "Ruled", "one", ruleds.creation_causes(sent)) == verdict(answer)


@pytest.mark.parametrize("case", UPDATES)
def test_an_update_breaks_the_same_rules(case: str, api_server: ApiServer, ruleds: CustomType) -> None:
    before, after = UPDATES[case]
    name = case.replace(" ", "-")
    stored, _ = ask(api_server, "POST", OBJECTS, _ruled(name, before))
    sent = stored | {"spec": after}

    answer, _ = ask(api_server, "PUT", f"{OBJECTS}/{name}?dryRun=All", sent)

    assert verdict_of(GROUP, "Ruled", name, ruleds.update_causes(sent, stored)) == verdict(answer)


@pytest.fixture(scope="module")
def ruleds(api_server: ApiServer) -> Iterator[CustomType]:
    """The same CRD on both sides."""
    made = crd(RULED)
    made["metadata"]["name"] = f"ruleds.{GROUP}"
    made["spec"]["names"] = {"plural": "ruleds", "kind": "Ruled"}
    answer, _ = ask(api_server, "POST", CRDS, made)
    assert verdict(answer) is None, answer
    await_served(api_server, OBJECTS)
    yield CustomType(made, "v1")
    ask(api_server, "DELETE", f"{CRDS}/{made['metadata']['name']}")


def _ruled(name: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": f"{GROUP}/v1", "kind": "Ruled", "metadata": {"name": name}, "spec": copy.deepcopy(spec)}
