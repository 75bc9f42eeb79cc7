"""CRDs: what is filled in, and where a fault is said to be. The words are judged by a real API server."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from homeostat.sim.apiserver.refusing import Refused
from homeostat.sim.apiserver.schemas.definitions import definition_causes, set_defaults


def version(name: str = "v1", *, storage: bool = True, **properties: Any) -> dict[str, Any]:
    root = {"type": "object", "properties": {"spec": {"type": "object", "properties": properties}}}
    return {"name": name, "served": True, "storage": storage, "schema": {"openAPIV3Schema": root}}


def definition(*versions: dict[str, Any]) -> dict[str, Any]:
    names = {"kind": "Thing", "plural": "things"}
    spec = {"group": "g.example", "scope": "Cluster", "names": names, "versions": list(versions)}
    crd = {"metadata": {"name": "things.g.example"}, "spec": spec}
    set_defaults(crd)
    return crd


def test_names_conversion_and_the_stored_version_are_filled_in() -> None:
    crd = definition(version())

    assert crd["spec"]["names"] == {"kind": "Thing", "plural": "things", "singular": "thing", "listKind": "ThingList"}
    assert crd["spec"]["conversion"] == {"strategy": "None"}
    assert crd["status"]["storedVersions"] == ["v1"]
    assert not definition_causes(crd)


def test_a_fault_of_the_schema_that_all_versions_share_is_told_once_above_them() -> None:
    (cause,) = definition_causes(definition(version(a={}), version("v2", storage=False, a={})))

    assert cause.field == "spec.validation.openAPIV3Schema.properties[spec].properties[a].type"


def test_a_fault_of_one_version_is_told_there() -> None:
    (cause,) = definition_causes(definition(version(), version("v2", storage=False, a={})))

    assert cause.field.startswith("spec.versions[1].schema.openAPIV3Schema")


def test_a_format_that_is_known_and_not_imitated_is_refused_by_name() -> None:
    with pytest.raises(Refused, match="does not imitate the format isbn in schemas of CRDs"):
        definition_causes(definition(version(a={"type": "string", "format": "isbn"})))


def test_a_stored_version_may_not_go() -> None:
    before = definition(version(), version("v0", storage=False))
    before["status"]["storedVersions"] = ["v0", "v1"]
    after = copy.deepcopy(before)
    after["spec"]["versions"].pop()

    (cause,) = definition_causes(after, before)

    assert cause.field == "status.storedVersions[0]"


def test_the_kind_of_an_established_definition_may_not_change() -> None:
    before = definition(version())
    after = copy.deepcopy(before)
    after["spec"]["names"]["kind"] = "Other"

    assert not definition_causes(after, before)
    before["status"]["conditions"] = [{"type": "Established", "status": "True"}]
    assert [cause.field for cause in definition_causes(after, before)] == ["spec.names.kind"]
