"""Networks of a Cluster that cannot be: each is told with its path, and what to do."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.support.clusters import cluster

from homeostat.operators.cluster.networks import wrong_in


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_text_in_a_network_is_judged_and_never_raises(pods: str, services: str) -> None:
    spec = cluster(network={"podCIDR": pods, "serviceCIDR": services}).spec
    assert wrong_in(spec).startswith("spec.network.")


def test_overlapping_networks_are_told_with_both() -> None:
    spec = cluster(network={"podCIDR": "10.0.0.0/8", "serviceCIDR": "10.201.0.0/20"}).spec
    said = wrong_in(spec)
    assert "10.0.0.0/8" in said
    assert "10.201.0.0/20" in said
