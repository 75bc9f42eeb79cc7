"""Which master moves next, from wherever the others are, by the rules of version skew."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.support.clusters import package

from homeostat.api.cluster.masters import API_SERVER, COMPONENTS, ETCD
from homeostat.api.cluster.v1alpha1 import ClusterPackageVersionSpec
from homeostat.operators.cluster.rollout.path import Stand, next_move, refusal, remaining
from homeostat.operators.cluster.rollout.versions import Version, version_of

CONTROLLERS = ("kube-controller-manager", "kube-scheduler")


def of(kubernetes: str, etcd: str = "3.6.16") -> ClusterPackageVersionSpec:
    spec = package().spec
    parts = (replace(each, version=etcd if each.name == ETCD else f"v{kubernetes}") for each in spec.components)
    return replace(spec, kubernetes_version=f"v{kubernetes}", components=tuple(parts))


PACKAGES = {
    "old": of("1.34.4"),
    "patched": of("1.34.9"),
    "new": of("1.35.4"),
    "newer": of("1.35.9"),
    "newest": of("1.36.0"),
    "oldest": of("1.34.0", "3.5.35"),
    "unmended": of("1.34.0", "3.5.21"),
    "ancient": of("1.34.0", "3.4.40"),
}


def stand(to: str, at: str = "old", **moved: str) -> Stand:
    return Stand({**dict.fromkeys(COMPONENTS, at), **{k.replace("_", "-"): v for k, v in moved.items()}}, to, PACKAGES)


def test_upwards_etcd_comes_first_and_controllers_last() -> None:
    assert remaining(stand("new")) == (ETCD, API_SERVER, *CONTROLLERS)


def test_downwards_it_is_the_other_way_round() -> None:
    assert remaining(stand("old", at="new")) == (*CONTROLLERS, API_SERVER, ETCD)


def test_servers_that_go_down_a_patch_to_where_clients_have_yet_to_come_up_go_first() -> None:
    assert remaining(stand("new", kube_apiserver="newer"))[:2] == (ETCD, API_SERVER)
    assert remaining(stand("old", at="patched"))[-2:] == (API_SERVER, ETCD)


def test_a_cluster_that_is_there_moves_nothing() -> None:
    assert next_move(stand("new", at="new")) == ""


def test_a_wish_taken_back_in_the_middle_goes_back_the_shortest_way() -> None:
    assert remaining(stand("old", etcd="new", kube_apiserver="new")) == (API_SERVER, ETCD)
    assert remaining(stand("old", etcd="new")) == (ETCD,)
    mixed = stand("old", at="new", kube_scheduler="old")
    assert remaining(mixed) == ("kube-controller-manager", API_SERVER, ETCD)


def test_a_third_version_is_reached_from_the_middle() -> None:
    assert remaining(stand("patched", etcd="new", kube_apiserver="new")) == (*CONTROLLERS, API_SERVER, ETCD)


@pytest.mark.parametrize(
    ("to", "at", "words"),
    [
        ("newest", "old", "one minor version at a time, in either direction: 1.34 -> 1.35 -> 1.36"),
        ("old", "newest", "1.36 -> 1.35 -> 1.34; declare a package version of 1.35 first"),
    ],
)
def test_a_skipped_minor_is_refused_with_the_path(to: str, at: str, words: str) -> None:
    assert words in refusal(stand(to, at=at))


def test_etcd_moves_up_a_minor_and_back() -> None:
    assert refusal(stand("old", at="oldest")) == ""
    assert refusal(stand("oldest")) == ""


def test_etcd_goes_to_the_next_minor_and_back_only_by_a_patch_that_mends_its_members() -> None:
    told = refusal(stand("old", at="unmended"))
    assert "etcd 3.5.21 moves to 3.6.16 only by way of 3.5.26 or a newer one of 3.5" in told
    assert "declare a package version with etcd 3.5.26 or newer" in told
    assert "goes back to 3.5.21 only by way of 3.5.26" in refusal(stand("unmended"))
    assert refusal(stand("oldest", at="unmended")) == ""


def test_etcd_that_cannot_write_its_data_anew_does_not_go_back_a_minor() -> None:
    assert "etcd 3.5 writes data that 3.4 may not read" in refusal(stand("ancient", at="oldest"))
    assert refusal(stand("oldest", at="ancient")) == ""


def test_a_neighbour_is_not_refused() -> None:
    assert refusal(stand("new")) == ""
    assert refusal(stand("old", at="new")) == ""


@pytest.mark.parametrize(
    ("to", "at", "kubelets", "words"),
    [
        ("old", "new", ["v1.35.4", "v1.34.4"], "kubelets of 1.35, which must not be newer"),
        ("new", "old", ["v1.31.9"], "kubelets of 1.31, more than 3 minor versions behind 1.35"),
        ("new", "old", ["v1.32.0", "v1.34.4"], ""),
        ("new", "old", [], ""),
    ],
)
def test_kubelets_that_would_be_left_out_forbid_a_move(to: str, at: str, kubelets: list[str], words: str) -> None:
    told = refusal(stand(to, at=at), kubelets)
    assert words in told
    assert bool(words) == bool(told)


names = st.sampled_from(["old", "patched", "new"])


@given(st.fixed_dictionaries(dict.fromkeys(COMPONENTS, names)), names)
def test_from_anywhere_every_way_ends_there_and_never_breaks_the_skew(at: dict[str, str], to: str) -> None:
    first = Stand(at, to, PACKAGES)
    moves = remaining(first)
    assert len(moves) == len(set(moves))
    stands = [first]
    for move in moves:
        stands.append(Stand({**stands[-1].at, move: to}, to, PACKAGES))
    assert set(stands[-1].at.values()) == {to}
    for before, after in pairwise(stands):
        if _is_lawful(before):
            assert _is_lawful(after)


def _is_lawful(stand: Stand) -> bool:
    return all(stand.now(each).minors_above(stand.now(API_SERVER)) <= 0 for each in CONTROLLERS)


@given(st.integers(0, 99), st.integers(0, 99), st.integers(0, 99), st.sampled_from(["", "v"]))
def test_versions_are_read_and_ordered(major: int, minor: int, patch: int, prefix: str) -> None:
    found = version_of(f"{prefix}{major}.{minor}.{patch}")
    assert found == Version(major, minor, patch)
    assert version_of(f"{major}.{minor}.{patch}-rc.1") == found
    assert found < Version(major, minor, patch + 1) < Version(major, minor + 1, 0) < Version(major + 1, 0, 0)


@pytest.mark.parametrize("text", ["", "v1.35", "latest", "1.2.3.4", "v1.x.0"])
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected a version"):
        version_of(text)
