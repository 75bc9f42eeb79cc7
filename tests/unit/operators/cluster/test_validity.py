"""Specs that cannot be followed, let in by another CRD: each is told with its path, and what to do."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.clusters import NOW, cluster, new, running
from tests.support.telling import status

from homeostat.api.cluster.v1alpha1 import Cluster
from homeostat.operators.cluster import words
from homeostat.operators.cluster.decide import Policy, decide
from homeostat.operators.cluster.observe import Observed, asks_for_zones
from homeostat.operators.cluster.validity import wrong_in


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_text_in_a_network_is_judged_and_never_raises(pods: str, services: str) -> None:
    spec = cluster(network={"podCIDR": pods, "serviceCIDR": services}).spec
    assert wrong_in(spec).startswith("spec.network.")


def test_overlapping_networks_are_told_with_both() -> None:
    spec = cluster(network={"podCIDR": "10.0.0.0/8", "serviceCIDR": "10.201.0.0/20"}).spec
    said = wrong_in(spec)
    assert "10.0.0.0/8" in said
    assert "10.201.0.0/20" in said


def test_a_topology_that_is_not_known_is_told_with_those_that_are() -> None:
    assert wrong_in(cluster(topology="huge").spec) == (
        "spec.topology: expected single or ha, found 'huge'; declare one of these, or run a homeostat that knows it"
    )


@pytest.mark.parametrize("seen", [new, running])
def test_nothing_is_made_or_changed_for_a_topology_that_is_not_known(seen: Callable[[Cluster], Observed]) -> None:
    looked = seen(cluster(topology="huge"))
    assert decide(looked, NOW, Policy()).actions == ()
    assert status(looked).conditions[0].reason == words.INVALID_SPEC


def test_looking_for_zones_survives_a_topology_that_is_not_known() -> None:
    assert not asks_for_zones(cluster(topology="huge"))
