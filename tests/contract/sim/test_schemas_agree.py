"""The simulated API server judges CRDs and custom objects as the real one does: same code, causes and object."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from tests.contract.sim.asking import ask, await_served, verdict, verdict_of
from tests.contract.sim.schema_cases import DEFINITIONS, GROUP, THING, THINGS, crd
from tests.support.apiserver import ApiServer

from homeostat.sim.apiserver.schemas import definitions
from homeostat.sim.apiserver.schemas.custom import CustomType

pytestmark = pytest.mark.real
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
OBJECTS = f"/apis/{GROUP}/v1/things"


@pytest.mark.parametrize("case", DEFINITIONS)
def test_a_definition_is_refused_for_the_same_causes(case: str, api_server: ApiServer) -> None:
    ours = copy.deepcopy(DEFINITIONS[case])

    answer, _ = ask(api_server, "POST", f"{CRDS}?dryRun=All", DEFINITIONS[case])

    definitions.set_defaults(ours)
    causes = definitions.definition_causes(ours)
    name = ours["metadata"]["name"]
    assert verdict_of("apiextensions.k8s.io", "CustomResourceDefinition", name, causes) == verdict(answer)


@pytest.mark.parametrize("case", THINGS)
def test_an_object_is_refused_for_the_same_causes_or_stored_as_the_same_one(
    case: str, api_server: ApiServer, things: CustomType
) -> None:
    sent = _thing(THINGS[case])

    answer, _ = ask(api_server, "POST", f"{OBJECTS}?dryRun=All", sent)

    ours, _ = things.decode(copy.deepcopy(sent))
    things.set_defaults(ours)
    causes = things.creation_causes(ours)
    assert verdict_of(GROUP, "Thing", "one", causes) == verdict(answer)
    if not causes:
        assert ours["spec"] == answer["spec"]


@pytest.fixture(scope="module")
def things(api_server: ApiServer) -> Iterator[CustomType]:
    """The same CRD on both sides."""
    made = crd(THING)
    answer, _ = ask(api_server, "POST", CRDS, made)
    assert verdict(answer) is None, answer
    await_served(api_server, OBJECTS)
    yield CustomType(made, "v1")
    ask(api_server, "DELETE", f"{CRDS}/{made['metadata']['name']}")


def _thing(spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": f"{GROUP}/v1", "kind": "Thing", "metadata": {"name": "one"}, "spec": spec}
