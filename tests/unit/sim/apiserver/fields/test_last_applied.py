"""How an apply by kubectl goes on from what kubectl merged by itself."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.support.shapes import CONFIG_MAP

from homeostat.sim.apiserver.fields import managing
from homeostat.sim.apiserver.fields.last_applied import ANNOTATION
from homeostat.sim.apiserver.fields.ownership import Writer
from homeostat.sim.apiserver.refusing import Refused

Object = dict[str, Any]
NOW = "2026-01-01T12:00:00Z"


def live(said: str, **data: str) -> Object:
    """An object that kubectl made, with what it said then."""
    made = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "x", "uid": "u", "annotations": {ANNOTATION: said}},
        "data": data,
    }
    empty = {"apiVersion": "v1", "kind": "ConfigMap"}
    return managing.update(empty, made, Writer("kubectl-client-side-apply", "v1", NOW), _convert())


def said(**data: str) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "data": data})


def apply(before: Object, manager: str = "kubectl", **data: str) -> Object:
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": data}
    return managing.apply(before, config, Writer(manager, "v1", NOW), _convert())


def _convert() -> managing.Convert:
    return managing.at_every_version(CONFIG_MAP)


def test_what_kubectl_said_and_nobody_changed_is_no_conflict() -> None:
    assert apply(live(said(a="1"), a="1"), a="2")["data"] == {"a": "2"}


def test_what_was_changed_since_is_a_conflict_and_the_only_one_told() -> None:
    with pytest.raises(Refused, match=r"Apply failed with 1 conflict: .*: \.data\.b$"):
        apply(live(said(a="1", b="1"), a="1", b="2"), a="3", b="3")


def test_others_than_kubectl_do_not_go_on_from_there() -> None:
    with pytest.raises(Refused, match="1 conflict"):
        apply(live(said(a="1"), a="1"), "other", a="2")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"apiVersion":"v2"}', '{"apiVersion":"v1","data":[]}'])
def test_an_annotation_that_says_nothing_excuses_nothing(text: str) -> None:
    with pytest.raises(Refused, match="1 conflict"):
        apply(live(text, a="1"), a="2")


def test_the_annotation_says_afterwards_what_was_applied() -> None:
    made = apply(live(said(a="1"), a="1"), a="<2>")

    assert made["metadata"]["annotations"][ANNOTATION] == (
        '{"apiVersion":"v1","data":{"a":"\\u003c2\\u003e"},"kind":"ConfigMap","metadata":{"name":"x"}}\n'
    )


def test_an_object_without_the_annotation_gets_none() -> None:
    made = apply({"apiVersion": "v1", "kind": "ConfigMap"}, a="1")

    assert "annotations" not in made["metadata"]
