"""Strings that many objects repeat are kept once."""

from __future__ import annotations

from enum import StrEnum

import msgspec
import pytest

from homeostat.api.meta import Condition, ObjectMeta
from homeostat.api.pods import Pod

POD = b"""{
  "metadata": {"name": "NAME", "namespace": "shop", "labels": {"tier": "frontend-of-the-shop"}},
  "spec": {"nodeName": "node-00017", "containers": [{"name": "web", "image": "registry.example.com/shop/web:v1"}]},
  "status": {"phase": "Running", "conditions": [{"type": "ContainersReady", "status": "True"}]}
}"""


@pytest.fixture
def pods() -> tuple[Pod, Pod]:
    decode = msgspec.json.Decoder(Pod).decode
    return decode(POD.replace(b"NAME", b"web-1")), decode(POD.replace(b"NAME", b"web-2"))


def test_pods_share_what_they_repeat(pods: tuple[Pod, Pod]) -> None:
    one, other = pods
    assert one.metadata.namespace is other.metadata.namespace
    assert one.metadata.labels["tier"] is other.metadata.labels["tier"]
    assert one.spec.node_name is other.spec.node_name
    assert one.spec.containers[0].image is other.spec.containers[0].image
    assert one.status.conditions[0].type is other.status.conditions[0].type


def test_sharing_changes_no_value(pods: tuple[Pod, Pod]) -> None:
    assert msgspec.to_builtins(pods[0])["metadata"] == {
        "name": "web-1",
        "namespace": "shop",
        "labels": {"tier": "frontend-of-the-shop"},
    }


class Word(StrEnum):
    READY = "Ready"


def test_a_member_of_an_enumeration_stays_itself() -> None:
    made = Condition(type=Word.READY, status="True", reason=Word.READY)
    assert type(made.reason) is Word
    assert ObjectMeta(labels={"a": Word.READY}).labels["a"] is Word.READY
