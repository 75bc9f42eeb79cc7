"""Selectors, as people write them."""

from __future__ import annotations

import pytest

from homeostat.sim.apiserver.refusing import Refused
from homeostat.sim.apiserver.selecting.fields import chooses, name_in, read_fields
from homeostat.sim.apiserver.selecting.labels import read_labels, selects
from homeostat.sim.apiserver.store.record import record

LABELS = {"app": "web", "tier": "front", "size": "3", "empty": ""}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("", True),
        ("app", True),
        ("!app", False),
        ("other", False),
        ("!other", True),
        ("app=web", True),
        ("app==web", True),
        ("app = web , tier=front", True),
        ("app!=web", False),
        ("other!=web", True),
        ("app in (web, api)", True),
        ("app in (api)", False),
        ("app notin (api)", True),
        ("other notin (api)", True),
        ("size>2", True),
        ("size>3", False),
        ("size<4", True),
        ("app>2", False),
        ("empty=", True),
        ("empty in (,a)", True),
        ("example.com/app=web", False),
        ("app,tier,!other,size in (3,4)", True),
    ],
)
def test_a_selector_of_labels_selects(text: str, *, holds: bool) -> None:
    assert selects(read_labels(text), LABELS) is holds


@pytest.mark.parametrize(
    "text", ["=", "app=web,", "app in web", "app in (web", "a b", "app>x", "app=-", ",", "app=a b"]
)
def test_a_selector_that_does_not_parse_is_a_bad_request(text: str) -> None:
    with pytest.raises(Refused) as caught:
        read_labels(text)
    assert caught.value.code == 400


def test_fields_are_compared_and_unknown_ones_refused() -> None:
    kept = record({"metadata": {"name": "a", "namespace": "n"}}, 1, {"status.phase": "Running"})
    known = ("status.phase",)
    assert chooses(read_fields("metadata.name=a,metadata.namespace==n,status.phase=Running", known), kept)
    assert not chooses(read_fields("status.phase!=Running", known), kept)
    assert chooses(read_fields("", known), kept)
    assert name_in(read_fields("metadata.name=a", known)) == "a"
    with pytest.raises(Refused, match=r"field label not supported: spec\.x"):
        read_fields("spec.x=1", known)
    with pytest.raises(Refused, match="can't understand"):
        read_fields("metadata.name", known)
