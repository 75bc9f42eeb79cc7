"""Who owns which fields after a write, what an apply takes away, and when it is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.courses import configs, specs
from tests.support.shapes import CONFIG_MAP, DEPLOYMENT, SERVICE, THING

from homeostat.sim.apiserver.fields import entries, managing
from homeostat.sim.apiserver.fields.ownership import Typed, Writer
from homeostat.sim.apiserver.fields.sets import NOTHING, FieldSet
from homeostat.sim.apiserver.fields.typed import fields_of
from homeostat.sim.apiserver.refusing import Refused
from homeostat.sim.apiserver.schemas.shape import SCALAR, UNTYPED, Shape

Object = dict[str, Any]
NOON = "2026-01-01T12:00:00Z"
LATER = "2026-01-01T13:00:00Z"
STATUS = FieldSet.named("status")


class Kept:
    """One object, as it is kept, and the writers that change it."""

    def __init__(self, shape: Shape = CONFIG_MAP, kind: str = "ConfigMap") -> None:
        self.shape = shape
        self.empty: Object = {"apiVersion": "v1", "kind": kind}
        self.live = self.empty

    def update(self, body: Object, manager: str = "one", now: str = NOON, **more: Any) -> Kept:
        new = {**self.empty, **body, "metadata": {"name": "x", "uid": "u"} | body.get("metadata", {})}
        writer = Writer(manager, "v1", now, **more)
        self.live = managing.update(self.live, new, writer, managing.at_every_version(self.shape))
        return self

    def apply(self, body: Object, manager: str = "one", now: str = NOON, *, force: bool = False, **more: Any) -> Kept:
        config = {**self.empty, **body, "metadata": {"name": "x"} | body.get("metadata", {})}
        convert = managing.at_every_version(self.shape)
        made = managing.apply(self.live, config, Writer(manager, "v1", now, **more), convert, force=force)
        self.live = made | {"metadata": made["metadata"] | {"uid": "u"}}
        return self

    def owners(self) -> dict[str, list[str]]:
        """The fields of each manager."""
        return {manager.name: _shown(entry.fields) for manager, entry in entries.read(self.raw()).items()}

    def times(self) -> dict[str, str]:
        return {each["manager"]: each.get("time", "") for each in self.raw()}

    def raw(self) -> list[Object]:
        raw: list[Object] = entries.of_object(self.live) or []
        return raw


def _shown(fields: FieldSet) -> list[str]:
    return [".".join(element.partition(":")[2] for element in path) for path in fields]


def config(**data: str) -> Object:
    return {"data": data}


def test_who_creates_an_object_owns_all_that_is_in_it_but_what_says_which_object_it_is() -> None:
    kept = Kept().update({"data": {"a": "1"}, "metadata": {"labels": {"l": "1"}, "namespace": "n"}})

    assert kept.owners() == {"one": ["data", "data.a", "metadata.labels", "metadata.labels.l"]}
    assert kept.raw() == [
        {
            "manager": "one",
            "operation": "Update",
            "apiVersion": "v1",
            "time": NOON,
            "fieldsType": "FieldsV1",
            "fieldsV1": {
                "f:data": {".": {}, "f:a": {}},
                "f:metadata": {"f:labels": {".": {}, "f:l": {}}},
            },
        }
    ]


def test_what_values_of_a_type_cannot_be_without_is_nobodys() -> None:
    kept = Kept(SERVICE, "Service")
    kept.live = kept.empty | {"spec": {}, "status": {"loadBalancer": {}}}

    kept.update({"spec": {"type": "ClusterIP"}, "status": {"loadBalancer": {}}})

    assert kept.owners() == {"one": ["spec.type"]}


def test_an_update_takes_what_it_changes() -> None:
    kept = Kept().update(config(a="1", b="1")).update(config(a="1", b="2"), "two", LATER)

    assert kept.owners() == {"one": ["data", "data.a"], "two": ["data.b"]}
    assert kept.times() == {"one": NOON, "two": LATER}


def test_an_update_that_changes_nothing_owns_nothing_and_moves_no_time() -> None:
    kept = Kept().update(config(a="1")).update(config(a="1"), "two", LATER).update(config(a="1"), "one", LATER)

    assert kept.owners() == {"one": ["data", "data.a"]}
    assert kept.times() == {"one": NOON}


def test_what_is_removed_is_nobodys_and_an_entry_without_fields_goes() -> None:
    kept = Kept().apply(config(a="1")).update(config(b="1"), "two", LATER)

    assert kept.owners() == {"two": ["data.b"]}


def test_one_manager_has_entries_by_operation_and_by_subresource() -> None:
    kept = Kept(THING, "Thing").update({"spec": {"size": 1}}, reset=STATUS)

    kept.apply({"spec": {"tags": ["a"]}}, reset=STATUS)
    kept.update({"spec": {"size": 1, "tags": ["a"]}, "status": {"phase": "x"}}, subresource="status")

    told = [(each["manager"], each["operation"], each.get("subresource", "")) for each in kept.raw()]
    assert told == [("one", "Apply", ""), ("one", "Update", ""), ("one", "Update", "status")]


def test_fields_that_a_door_resets_are_nobodys_by_it() -> None:
    kept = Kept(THING, "Thing").update({"spec": {"size": 1}, "status": {"phase": "x"}}, reset=STATUS)

    assert kept.owners() == {"one": ["spec", "spec.size"]}


def test_a_writer_without_a_name_is_unknown() -> None:
    assert list(Kept().update(config(a="1"), "").owners()) == ["unknown"]


def test_the_oldest_updates_are_folded_into_one() -> None:
    kept = Kept()
    for number in range(12):
        kept.update(
            config(**{f"k{each}": "1" for each in range(number + 1)}), f"m{number:02}", f"2026-01-01T12:{number:02}:00Z"
        )

    owners = kept.owners()

    assert list(owners) == ["ancient-changes", *(f"m{number:02}" for number in range(3, 12))]
    assert owners["ancient-changes"] == ["data", "data.k0", "data.k1", "data.k2"]
    assert kept.times()["ancient-changes"] == "2026-01-01T12:02:00Z"


def test_a_client_may_write_other_entries_or_reset_them() -> None:
    kept = Kept().update(config(a="1"))
    mine = kept.raw()[0] | {"manager": "mine", "operation": "Apply"}

    assert list(kept.update({**config(a="1"), "metadata": {"managedFields": [mine]}}, "two").owners()) == ["mine"]
    assert kept.update({**config(a="1"), "metadata": {"managedFields": [{}]}}, "two").raw() == []
    assert kept.update(config(a="2"), "two").raw() == []


def test_entries_that_cannot_be_read_are_those_of_the_live_object() -> None:
    kept = Kept().update(config(a="1"))

    kept.update({**config(a="1"), "metadata": {"managedFields": [{"manager": "x", "operation": "Guess"}]}}, "two")

    assert list(kept.owners()) == ["one"]


def test_the_first_apply_finds_an_object_that_nobody_followed_as_it_was_before() -> None:
    kept = Kept()
    kept.live = kept.empty | {"metadata": {"name": "x", "uid": "u"}, "data": {"a": "1"}}

    kept.apply(config(b="1"))

    assert kept.owners() == {"one": ["data.b"], "before-first-apply": ["data", "data.a"]}


def test_what_is_applied_no_longer_goes_if_it_is_nobody_elses() -> None:
    kept = Kept().apply(config(a="1", b="1", c="1")).apply(config(b="1"), "two")

    kept.apply(config(a="1"))

    assert kept.live["data"] == {"a": "1", "b": "1"}
    assert kept.owners() == {"one": ["data.a"], "two": ["data.b"]}


def test_what_an_update_took_over_stays_when_the_applier_lets_it_go() -> None:
    kept = Kept().apply(config(a="1")).update(config(a="2"), "two")

    kept.apply(config(b="1"))

    assert kept.live["data"] == {"a": "2", "b": "1"}


def test_an_apply_that_changes_nothing_moves_no_time() -> None:
    kept = Kept().apply(config(a="1"))

    kept.apply(config(a="1"), "one", LATER)

    assert kept.times() == {"one": NOON}


def test_an_apply_of_what_is_anothers_is_a_conflict_that_names_owner_and_field() -> None:
    kept = Kept().apply(config(a="1"))

    with pytest.raises(Refused) as refused:
        kept.apply(config(a="2"), "two")

    status = refused.value.status()
    assert (status["code"], status["reason"]) == (409, "Conflict")
    assert status["message"] == 'Apply failed with 1 conflict: conflict with "one": .data.a'
    assert status["details"]["causes"] == [
        {"reason": "FieldManagerConflict", "message": 'conflict with "one"', "field": ".data.a"}
    ]


def test_several_conflicts_are_told_owner_by_owner() -> None:
    kept = Kept(THING, "Thing").update({"spec": {"size": 1}}, "maker").apply({"spec": {"labels": {"a": "1"}}}, "two")
    kept.update({"spec": {"size": 1, "labels": {"a": "1"}}, "status": {"phase": "x"}}, "three", subresource="status")

    with pytest.raises(Refused) as refused:
        kept.apply({"spec": {"size": 2, "labels": {"a": "2"}}, "status": {"phase": "y"}})

    assert refused.value.message.splitlines() == [
        'Apply failed with 3 conflicts: conflicts with "maker" using v1:',
        "- .spec.size",
        'conflicts with "three" with subresource "status" using v1:',
        "- .status.phase",
        'conflicts with "two":',
        "- .spec.labels.a",
    ]


def test_force_takes_what_is_in_conflict() -> None:
    kept = Kept().apply(config(a="1", b="1")).apply(config(a="2"), "two", force=True)

    assert kept.live["data"] == {"a": "2", "b": "1"}
    assert kept.owners() == {"one": ["data.b"], "two": ["data.a"]}


def test_who_applies_what_is_already_so_owns_it_together_with_others() -> None:
    assert Kept().apply(config(a="1")).apply(config(a="1"), "two").owners() == {"one": ["data.a"], "two": ["data.a"]}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"kind": "Secret"}, "invalid object type: /v1, Kind=Secret"),
        ({"apiVersion": "apps/v1"}, "invalid object type: apps/v1, Kind=ConfigMap"),
        ({"metadata": {"managedFields": []}}, "metadata.managedFields must be nil"),
    ],
)
def test_what_may_not_be_applied_is_a_bad_request(body: Object, message: str) -> None:
    with pytest.raises(Refused) as refused:
        Kept().apply(body)

    assert (refused.value.code, refused.value.message) == (400, message)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"replicas": 1, "spec": 1}, ".spec.spec: field not declared in schema"),
        ({"template": []}, ".spec.template: expected map, got &{[]}"),
        (
            {"template": {"spec": {"containers": {"a": 1}}}},
            ".spec.template.spec.containers: expected list, got &{map[a:1]}",
        ),
        ({"replicas": [None, True]}, ".spec.replicas: expected any scalar, got &{[<nil> true]}"),
        (
            {"template": {"spec": {"containers": [{"name": "a"}, {"name": "a"}]}}},
            '.spec.template.spec.containers: duplicate entries for key [name="a"]',
        ),
        (
            {"template": {"spec": {"containers": [{"image": "a"}]}}},
            ".spec.template.spec.containers: element 0: associative list with keys has an element that omits all key"
            ' fields ["name"] (and doesn\'t have default values for any key fields)',
        ),
    ],
)
def test_what_cannot_be_merged_is_refused_with_its_place(spec: Object, message: str) -> None:
    with pytest.raises(Refused) as refused:
        Kept(DEPLOYMENT, "Deployment").apply({"spec": spec, "metadata": {"namespace": "n"}})

    assert refused.value.code == 500
    assert refused.value.message == f"failed to create typed patch object (n/x; /v1, Kind=Deployment): {message}"


def test_several_faults_are_told_line_by_line() -> None:
    with pytest.raises(Refused) as refused:
        Kept(THING, "Thing").apply({"spec": {"tags": ["a", "a"], "numbers": 1}})

    assert refused.value.message.partition("): ")[2].splitlines() == [
        "errors:",
        '  .spec.tags: duplicate entries for key [="a"]',
        "  .spec.numbers: expected list, got &{1}",
    ]


def test_a_live_object_whose_entries_cannot_be_read_takes_no_apply() -> None:
    kept = Kept().update(config(a="1"))
    kept.live["metadata"]["managedFields"][0]["fieldsType"] = "FieldsV2"

    with pytest.raises(Refused, match='failed to decode managed fields: invalid fieldsType "FieldsV2"'):
        kept.apply(config(a="2"))


def test_an_update_of_what_cannot_be_merged_leaves_no_managed_fields() -> None:
    kept = Kept(THING, "Thing").update({"spec": {"size": 1}}).update({"spec": {"tags": [None]}})

    assert kept.raw() == []
    assert kept.live["spec"] == {"tags": [None]}


def test_entries_of_a_version_that_is_not_served_go() -> None:
    kept = Kept().update(config(a="1")).apply(config(b="1"), "two")
    kept.live["metadata"]["managedFields"][1]["apiVersion"] = "v0"

    def convert(value: Object, api_version: str) -> Typed | None:
        return Typed(value, CONFIG_MAP) if api_version == "v1" else None

    new = managing.update(kept.live, {**kept.live, "data": {"a": "2", "b": "1"}}, Writer("x", "v1", LATER), convert)

    assert [each["manager"] for each in new["metadata"]["managedFields"]] == ["two", "x"]


def test_what_was_applied_in_another_version_is_pruned_there() -> None:
    old, new = (
        Shape("object", fields={"was": SCALAR}, each=UNTYPED),
        Shape("object", fields={"now": SCALAR}, each=UNTYPED),
    )

    def convert(value: Object, api_version: str) -> Typed:
        there, here = ("now", "was") if api_version == "v0" else ("was", "now")
        moved = {here if name == there else name: each for name, each in value.items()}
        return Typed(moved | {"apiVersion": api_version}, old if api_version == "v0" else new)

    first = managing.apply({}, {"apiVersion": "v0", "was": 1, "x": 1}, Writer("one", "v0", NOON), convert)
    then = managing.apply(convert(first, "v1").value, {"apiVersion": "v1", "x": 1}, Writer("one", "v1", LATER), convert)

    assert "now" not in then
    assert [each["apiVersion"] for each in then["metadata"]["managedFields"]] == ["v1"]


def test_a_type_that_became_a_whole_is_owned_as_a_whole() -> None:
    kept = Kept(THING, "Thing").apply({"spec": {"inner": {"one": "1", "deep": {"a": "b"}}}})
    fields = dict(THING.fields["spec"].fields) | {"inner": Shape("object", "atomic", each=UNTYPED)}
    kept.shape = Shape("object", fields={**THING.fields, "spec": Shape("object", fields=fields)})

    kept.update({"spec": {"inner": {"one": "1", "deep": {"a": "b"}}, "size": 1}}, "two")

    assert kept.owners() == {"one": ["spec.inner"], "two": ["spec.size"]}


def test_a_write_that_would_change_times_alone_changes_nothing() -> None:
    kept = Kept().update(config(a="1"))
    later = kept.live | {"metadata": kept.live["metadata"] | {"managedFields": [kept.raw()[0] | {"time": LATER}]}}

    assert entries.steady(kept.live, later) == kept.live
    assert entries.steady(kept.live, later | {"data": {}}) == later | {"data": {}}


applied = specs(distinct=True).map(lambda spec: {"spec": spec})


@given(first=applied, second=applied)
def test_applying_twice_is_applying_once(first: Object, second: Object) -> None:
    once = Kept(THING, "Thing").apply(first).apply(second, "two", force=True)
    before = once.live

    assert once.apply(second, "two", LATER, force=True).live == before


@given(bodies=st.lists(applied, min_size=1, max_size=4))
def test_who_applied_last_owns_what_was_applied_and_the_others_only_lose(bodies: list[Object]) -> None:
    kept = Kept(THING, "Thing")
    for number, body in enumerate(bodies):
        before = {name: set(fields) for name, fields in kept.owners().items()}
        after = kept.apply(body, f"m{number}", force=True).owners()
        assert after.get(f"m{number}", []) == _shown(fields_of(body, THING))
        assert all(set(after.get(name, ())) <= fields for name, fields in before.items())


@given(made=configs(), body=configs())
def test_every_field_that_an_update_brings_is_somebodys(made: Object, body: Object) -> None:
    kept = Kept().update(made, "maker").apply(body, "applier", force=True)

    owned = NOTHING
    for entry in entries.read(kept.raw()).values():
        owned = owned | entry.fields
    leaves = [("f:data", f"f:{key}") for key in kept.live.get("data") or {}]

    assert all(path in owned for path in leaves)


@given(made=configs(), body=configs())
def test_nothing_is_left_of_an_apply_that_says_nothing_any_more(made: Object, body: Object) -> None:
    kept = Kept().update(made, "maker")
    data = kept.live.get("data") or {}

    kept.apply(body, "applier", force=True).apply({}, "applier")

    assert "applier" not in kept.owners()
    assert set(kept.live.get("data") or {}) <= set(data)
