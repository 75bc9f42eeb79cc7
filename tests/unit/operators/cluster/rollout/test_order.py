"""The order of components is data: Kubernetes' own dependencies, and those that a package version adds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.support.clusters import package

from homeostat.api.cluster.masters import COMPONENTS
from homeostat.api.cluster.v1alpha1 import ClusterPackageVersionSpec
from homeostat.operators.cluster.rollout.order import circle, dependencies, downwards, upwards

SCHEDULER, MANAGER = "kube-scheduler", "kube-controller-manager"


def depending(**needed: tuple[str, ...]) -> ClusterPackageVersionSpec:
    """The package version with dependencies, by component with `_` for `-`."""
    spec = package().spec
    parts = (replace(each, depends_on=needed.get(each.name.replace("-", "_"), ())) for each in spec.components)
    return replace(spec, components=tuple(parts))


def test_without_a_word_it_is_the_order_of_version_skew() -> None:
    assert upwards(package().spec, COMPONENTS) == ("etcd", "kube-apiserver", MANAGER, SCHEDULER)
    assert downwards(package().spec, COMPONENTS) == (MANAGER, SCHEDULER, "kube-apiserver", "etcd")


def test_what_is_declared_counts_in_both_directions() -> None:
    spec = depending(kube_controller_manager=(SCHEDULER,))
    assert dependencies(spec, MANAGER) == ("kube-apiserver", SCHEDULER)
    assert upwards(spec, COMPONENTS) == ("etcd", "kube-apiserver", SCHEDULER, MANAGER)
    assert downwards(spec, COMPONENTS) == (MANAGER, SCHEDULER, "kube-apiserver", "etcd")
    assert circle(spec) == ()


def test_those_who_wait_for_one_another_are_named_and_still_have_a_place() -> None:
    spec = depending(etcd=(SCHEDULER,))
    assert circle(spec) == ("etcd", "kube-apiserver", MANAGER, SCHEDULER)
    assert set(upwards(spec, COMPONENTS)) == set(COMPONENTS)


@given(st.dictionaries(st.sampled_from(COMPONENTS), st.lists(st.sampled_from(COMPONENTS), max_size=3).map(tuple)))
def test_whatever_is_declared_every_component_has_one_place_after_what_it_needs(
    needed: dict[str, tuple[str, ...]],
) -> None:
    spec = depending(**{name.replace("-", "_"): others for name, others in needed.items()})
    order = upwards(spec, COMPONENTS)
    assert sorted(order) == sorted(COMPONENTS)
    assert sorted(downwards(spec, COMPONENTS)) == sorted(COMPONENTS)
    if not circle(spec):
        for each in COMPONENTS:
            assert all(order.index(other) < order.index(each) for other in dependencies(spec, each))
