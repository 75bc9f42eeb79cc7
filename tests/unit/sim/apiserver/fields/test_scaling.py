"""How the owners of replicas go to a Scale and back."""

from __future__ import annotations

from typing import Any

from homeostat.sim.apiserver.fields import scaling

Object = dict[str, Any]
NOON = "2026-01-01T12:00:00Z"
PLACES = {"apps/v1": scaling.REPLICAS}
REPLICAS: Object = {"f:spec": {"f:replicas": {}}}


def entry(manager: str, fields: Object, operation: str = "Apply", version: str = "apps/v1", **more: Any) -> Object:
    shown = {"manager": manager, "operation": operation, "apiVersion": version, "time": NOON}
    return shown | {"fieldsType": "FieldsV1", "fieldsV1": fields} | more


def test_a_scale_shows_who_owns_replicas_in_its_own_version() -> None:
    parent = [entry("a", {"f:spec": {"f:paused": {}, "f:replicas": {}}}), entry("b", {"f:spec": {"f:paused": {}}})]

    assert scaling.of_scale(parent, PLACES) == [entry("a", REPLICAS, version=scaling.SCALE)]


def test_an_entry_of_a_version_that_has_no_replicas_is_left_out() -> None:
    assert scaling.of_scale([entry("a", REPLICAS, version="apps/v0")], PLACES) == []


def test_what_a_scale_did_not_change_stays_with_its_applier() -> None:
    parent = [entry("a", {"f:spec": {"f:paused": {}, "f:replicas": {}}})]

    assert scaling.of_parent(parent, scaling.of_scale(parent, PLACES), "apps/v1", PLACES) == parent


def test_replicas_that_a_scale_changed_go_to_who_did_it_without_a_time() -> None:
    parent = [entry("a", {"f:spec": {"f:paused": {}, "f:replicas": {}}}), entry("b", REPLICAS)]
    scaled = [entry("x", REPLICAS, "Update", scaling.SCALE, subresource="scale")]

    after = scaling.of_parent(parent, scaled, "apps/v1", PLACES)

    mine = entry("x", REPLICAS, "Update", subresource="scale")
    assert after == [
        entry("a", {"f:spec": {"f:paused": {}}}),
        {name: each for name, each in mine.items() if name != "time"},
    ]


def test_an_update_of_the_parent_has_two_entries_after_a_scale_that_changed_nothing() -> None:
    # As a kube-apiserver does: the manager of an update is known by its version, which is another one in a Scale.
    parent = [entry("a", {"f:spec": {"f:paused": {}, "f:replicas": {}}}, "Update")]

    after = scaling.of_parent(parent, scaling.of_scale(parent, PLACES), "apps/v1", PLACES)

    assert [(each["manager"], each["fieldsV1"]["f:spec"]) for each in after] == [
        ("a", {"f:replicas": {}}),
        ("a", {"f:paused": {}}),
    ]
