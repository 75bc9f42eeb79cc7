"""Nodes are counted as they come, change and go."""

from __future__ import annotations

from typing import Any

import msgspec
from prometheus_client import CollectorRegistry

from homeostat.api.core import Node
from homeostat.operators.nodes.census import MOST_VERSIONS, Census
from homeostat.telemetry.metrics import Metrics


def node(name: str = "n1", *, ready: str = "True", cordoned: bool = False, version: str = "v1.35.4") -> Node:
    conditions: list[dict[str, Any]] = [{"type": "Ready", "status": ready}] if ready else []
    status = {"conditions": conditions, "nodeInfo": {"kubeletVersion": version}}
    return msgspec.convert({"metadata": {"name": name}, "spec": {"unschedulable": cordoned}, "status": status}, Node)


class Told:
    """A census and what it tells."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.census = Census(Metrics(self._registry))

    def value(self, ready: str = "True", schedulable: str = "true", version: str = "v1.35.4") -> float | None:
        labels = {"ready": ready, "schedulable": schedulable, "version": version}
        return self._registry.get_sample_value("homeostat_nodes", labels)


def test_nodes_are_counted_by_what_they_are() -> None:
    told = Told()
    for each in (node("a"), node("b"), node("c", ready="False"), node("d", version="v1.34.4", cordoned=True)):
        told.census.note(None, each)
    assert (told.value(), told.value(ready="False")) == (2, 1)
    assert told.value(schedulable="false", version="v1.34.4") == 1


def test_one_that_changes_counts_as_what_it_is_now() -> None:
    told = Told()
    told.census.note(None, node())
    told.census.note(node(), node(ready="Unknown"))
    assert told.value() is None, "a kind of which none is left is told no more"
    assert told.value(ready="Unknown") == 1
    told.census.note(node(ready="Unknown"), node(ready="Unknown"))
    assert told.value(ready="Unknown") == 1
    told.census.note(node(ready="Unknown"), None)
    assert told.value(ready="Unknown") is None


def test_one_of_which_nobody_says_anything_is_unknown() -> None:
    told = Told()
    told.census.note(None, node(ready=""))
    assert told.value(ready="Unknown") == 1


def test_nodes_that_invent_versions_do_not_make_series_without_end() -> None:
    told = Told()
    nodes = [node(f"n{number}", version=f"v9.9.{number}") for number in range(MOST_VERSIONS + 5)]
    for each in nodes:
        told.census.note(None, each)
    assert told.value(version="other") == 5
    for each in nodes:
        told.census.note(each, None)
    assert told.value(version="other") is None
