"""Elements of paths: one spelling, the order of a kube-apiserver, and the words of its messages."""

from __future__ import annotations

import pytest

from homeostat.sim.apiserver.fields import paths


@pytest.mark.parametrize(
    ("text", "element"),
    [
        ("f:name", "f:name"),
        ("f:", "f:"),
        ('k:{"protocol": "TCP", "port": 80}', 'k:{"port":80,"protocol":"TCP"}'),
        ('v: "x"', 'v:"x"'),
        ("v:1.0", "v:1"),
        ("v:1.5", "v:1.5"),
        ("i:3", "i:3"),
        ("x:new", None),
    ],
)
def test_a_text_is_read_into_the_one_spelling_of_its_element(text: str, element: str | None) -> None:
    assert paths.read(text) == element


@pytest.mark.parametrize("text", ["", "f", "name", "k:[]", "k:{", "v:", "i:x"])
def test_a_text_that_names_no_field_is_unreadable(text: str) -> None:
    with pytest.raises(paths.Unreadable):
        paths.read(text)


def test_values_are_written_as_go_writes_json() -> None:
    assert paths.of_value("<a&b>é") == 'v:"\\u003ca\\u0026b\\u003eé"'
    assert paths.of_value(True) == "v:true"
    assert paths.of_value(None) == "v:null"


def test_fields_come_before_keys_before_values_before_indexes_and_numbers_count_as_numbers() -> None:
    ordered = [
        *("f:a", "f:b"),
        *('k:{"a":1}', 'k:{"a":1,"b":0}', 'k:{"a":10}', 'k:{"a":"x"}', 'k:{"b":0}'),
        *("v:2", "v:10", 'v:"a"', "v:false", "v:true", "v:null"),
        *("i:2", "i:10"),
    ]

    shuffled = [*ordered[::2], *ordered[1::2]]

    assert sorted(shuffled, key=paths.order) == ordered


def test_a_path_is_shown_as_messages_show_it() -> None:
    path = (
        paths.of_field("spec"),
        paths.of_keys({"protocol": "TCP", "port": 80}),
        paths.of_value("x"),
        paths.of_index(3),
    )

    assert paths.shown(path) == '.spec[port=80,protocol="TCP"][="x"][3]'
