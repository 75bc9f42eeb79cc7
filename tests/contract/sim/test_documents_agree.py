"""The OpenAPI documents of custom types, on both API servers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.contract.sim.both import Both
from tests.contract.sim.schema_cases import EMBEDDED, GROUP, INT_OR_STRING, PRESERVED, TEXT, WHOLE, crd, listed, of
from tests.support.apiserver import ApiServer

pytestmark = pytest.mark.real
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
DOCUMENT, SWAGGER = f"/openapi/v3/apis/{GROUP}/v1", "/openapi/v2"
SPEC = {
    "description": "What.",
    "required": ["text", "nothing"],
    **of(
        text=TEXT | {"default": "x", "enum": ["x", "y"], "pattern": "^.$", "minLength": 1, "format": "hostname"},
        strange=TEXT | {"format": "nonsense"},
        nothing=TEXT | {"nullable": True},
        nothings=listed(TEXT) | {"nullable": True},
        kept=of(q=TEXT) | {PRESERVED: True},
        kepts=listed({"type": "object", PRESERVED: True}) | {PRESERVED: True},
        object=of(spec={"type": "object"}) | {EMBEDDED: True},
        any={"type": "object", EMBEDDED: True, PRESERVED: True},
        port={INT_OR_STRING: True, "anyOf": [WHOLE, TEXT], "pattern": "^[0-9]+$"},
        share={INT_OR_STRING: True},
        map={"type": "object", "additionalProperties": WHOLE | {"format": "int32", "minimum": 1, "multipleOf": 1}},
        nulls={"type": "object", "additionalProperties": TEXT | {"nullable": True}, "required": ["z"]},
        all={"type": "object", "additionalProperties": True},
        list=listed(of(k=TEXT, v={"type": "number"}) | {"required": ["k"]}, list_type="map", list_map_keys=["k"]),
        set=listed(TEXT, list_type="set"),
        whole=of(b={"type": "boolean", "default": False}) | {"x-kubernetes-map-type": "atomic"},
        shown=TEXT | {"example": "abc", "externalDocs": {"url": "http://x", "description": "d"}},
        ruled=of(x=WHOLE)
        | {
            "title": "Ruled",
            "x-kubernetes-validations": [{"rule": "self.x > 1", "message": "too small"}],
            "oneOf": [{"required": ["x"]}, {"properties": {"x": {"minimum": 3}}}],
            "not": {"required": ["y"]},
            "allOf": [{"properties": {"x": {"maximum": 9}}}],
        },
    ),
}
BELOW = {"status": {}, "scale": {"specReplicasPath": ".spec.x", "statusReplicasPath": ".status.r"}}


def definition(plural: str, kind: str, scope: str, **changes: Any) -> dict[str, Any]:
    made = crd(SPEC, **changes)
    made["metadata"]["name"] = f"{plural}.{GROUP}"
    made["spec"] |= {"names": {"plural": plural, "kind": kind}, "scope": scope}
    return made


@pytest.fixture(scope="module")
def both(api_server: ApiServer) -> Iterator[Both]:
    """Both with a type in namespaces and one beside them, which keeps all that it is told."""
    made = Both(api_server)
    anything = {"openAPIV3Schema": {"type": "object", PRESERVED: True}}
    selectable = [{"jsonPath": ".spec.text"}]
    made.ask("POST", CRDS, definition("fulls", "Full", "Namespaced", subresources=BELOW, selectableFields=selectable))
    made.ask("POST", CRDS, definition("anys", "Any", "Cluster", schema=anything))
    yield made
    for name in ("fulls", "anys"):
        made.ask("DELETE", f"{CRDS}/{name}.{GROUP}")


def told(both: Both, path: str, part: str) -> tuple[Any, Any]:
    """What both say, once the real one has heard of both types; of them alone, as tests beside this define others."""
    for _ in range(1000):  # of some milliseconds each
        answers = both.ask("GET", path)
        real, simulated = (_ours(answer, part) for answer in answers)
        if len(real) == len(simulated):
            return real, simulated
    raise AssertionError(f"{path}: {sorted(real)} in place of {sorted(simulated)}")


def _ours(answer: Any, part: str) -> dict[str, Any]:
    for step in part.split("."):
        answer = answer.get(step, {}) if isinstance(answer, dict) else {}
    words = ("/anys", "/fulls", "v1.Any", "v1.Full")
    return {
        name: each for name, each in answer.items() if any(word in name for word in words) and GROUP in _group(name)
    }


def _group(name: str) -> str:
    return name if name.startswith("/") else ".".join(reversed(name.split(".")[:3]))


@pytest.mark.parametrize("part", ["paths", "components.schemas"])
def test_the_document_of_a_group_says_the_same(both: Both, part: str) -> None:
    real, simulated = told(both, DOCUMENT, part)

    assert simulated == real
    assert simulated


def test_the_old_document_has_the_same_schemas(both: Both) -> None:
    real, simulated = told(both, SWAGGER, "definitions")

    assert simulated == real
    assert simulated


def test_the_old_document_has_the_same_schemas_of_built_in_types(both: Both) -> None:
    real, simulated = (answer["definitions"] for answer in both.ask("GET", SWAGGER))

    assert {name: each for name, each in simulated.items() if name.startswith("io.k8s.")} == {
        name: each for name, each in real.items() if name.startswith("io.k8s.")
    }
