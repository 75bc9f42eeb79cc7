"""Data goes with the minor version that wrote it, or with the next one."""

from __future__ import annotations

import pytest
from tests.support.clusters import package
from tests.support.restoring import manifest

from homeostat.operators.cluster.restore.fitting import refusal, unreadable

MADE_OF = {each.name: each for each in package("v1.35.4").spec.components}


@pytest.mark.parametrize(
    ("kubernetes", "etcd"), [("v1.35.4", "3.6.16"), ("1.35.9", "3.6.20"), ("v1.34.4", "3.5.21"), ("1.34.0", "3.6.0")]
)
def test_the_same_minor_version_and_the_one_before_fit(kubernetes: str, etcd: str) -> None:
    assert refusal(manifest(kubernetes=kubernetes, etcd=etcd), MADE_OF) == ""


@pytest.mark.parametrize(
    ("kubernetes", "etcd", "told"),
    [
        (
            "v1.36.0",
            "3.6.16",
            "written by Kubernetes v1.36.0, and the package version has v1.35.4, which is older",
        ),
        (
            "v1.33.1",
            "3.6.16",
            "more than one minor version later; declare a package version with Kubernetes 1.33",
        ),
        (
            "v1.35.4",
            "3.7.0",
            "written by etcd 3.7.0, and the package version has 3.6.16, which is older and cannot read",
        ),
        ("v1.35.4", "4.0.0", "which is older"),
        ("v1.35.4", "2.3.8", "which is older"),
        ("unknown", "3.6.16", "expected versions of Kubernetes such as 1.35.4, found 'unknown'"),
    ],
)
def test_whatever_else_is_refused_with_what_to_declare(kubernetes: str, etcd: str, told: str) -> None:
    assert told in refusal(manifest(kubernetes=kubernetes, etcd=etcd), MADE_OF)


@pytest.mark.parametrize("keys", [("k1", "k2"), ("k2", "k1", "k3")])
def test_secrets_from_the_middle_of_a_rotation_are_read_where_both_keys_are_known(keys: tuple[str, ...]) -> None:
    assert unreadable(manifest(secrets_key="k2", other_secrets_key="k1"), keys, "") == ""


@pytest.mark.parametrize("keys", [("k1",), ("k2",), ()])
def test_secrets_from_the_middle_of_a_rotation_are_refused_when_either_key_is_missing(keys: tuple[str, ...]) -> None:
    told = unreadable(manifest(secrets_key="k2", other_secrets_key="k1"), keys, "choose another one")
    assert told.startswith("its Secrets are encrypted with the key k2 and the key k1, and ")
    assert told.endswith(" here; choose another one")


def test_a_snapshot_without_encrypted_secrets_is_read_by_anybody() -> None:
    assert unreadable(manifest(), (), "") == ""
