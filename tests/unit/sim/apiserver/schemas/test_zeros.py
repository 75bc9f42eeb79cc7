"""What Go writes of an object though nobody said it."""

from __future__ import annotations

from typing import Any

import pytest

from homeostat.sim.apiserver.schemas.zeros import set_zeros


def test_structs_and_true_defaults_are_set_wherever_their_parents_are() -> None:
    pod: dict[str, Any] = {"spec": {"containers": [{"name": "a", "ports": [{"containerPort": 80}]}]}}

    set_zeros(pod, "", "v1", "Pod")

    container = pod["spec"]["containers"][0]
    assert container["resources"] == {}
    assert container["ports"] == [{"containerPort": 80, "protocol": "TCP"}]
    assert pod["status"] == {}


def test_what_was_said_stays() -> None:
    service: dict[str, Any] = {"spec": {"ports": [{"port": 80, "protocol": "UDP"}]}, "status": {}}

    set_zeros(service, "", "v1", "Service")

    assert service["spec"]["ports"][0]["protocol"] == "UDP"
    assert service["status"] == {"loadBalancer": {}}


def test_objects_share_nothing() -> None:
    one: dict[str, Any] = {}
    other: dict[str, Any] = {}

    set_zeros(one, "", "v1", "Pod")
    one["status"]["phase"] = "Running"
    set_zeros(other, "", "v1", "Pod")

    assert other["status"] == {}


def test_a_kind_that_is_not_built_in_has_none() -> None:
    with pytest.raises(KeyError):
        set_zeros({}, "g.example", "v1", "Thing")
