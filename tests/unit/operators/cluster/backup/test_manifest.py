"""What is written down about a snapshot, and what is refused when it is read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from msgspec.structs import replace
from tests.support.snapshots import CLUSTER, NOW, taken

from homeostat.operators.cluster.backup import manifest
from homeostat.operators.cluster.backup.manifest import ClusterRef, Encryption, ManifestUnsound

SUM = "ab" * 32
FOUND = manifest.describe(
    taken(),
    plain=(1000, SUM),
    stored=(1216, "cd" * 32),
    encryption=Encryption("age-encryption.org/v1", "2026-01-01", "age1..."),
    homeostat_version="0.1.0",
)


def test_a_manifest_is_read_as_it_was_written() -> None:
    assert manifest.decode(manifest.encode(FOUND), CLUSTER, FOUND.id) == FOUND


def test_it_names_the_key_that_its_secrets_are_encrypted_with_and_none_where_they_are_not() -> None:
    named = manifest.describe(
        replace(taken(), secrets_key="5f3a"),
        plain=(1000, SUM),
        stored=(1216, SUM),
        encryption=FOUND.encryption,
        homeostat_version="0.1.0",
    )
    assert manifest.decode(manifest.encode(named), CLUSTER, named.id).secrets_key == "5f3a"
    assert b"secretsKey" not in manifest.encode(FOUND)


def test_from_the_middle_of_a_rotation_it_names_both_keys() -> None:
    named = manifest.describe(
        replace(taken(), secrets_key="5f3a", other_secrets_key="77aa"),
        plain=(1000, SUM),
        stored=(1216, SUM),
        encryption=FOUND.encryption,
        homeostat_version="0.1.0",
    )
    assert manifest.decode(manifest.encode(named), CLUSTER, named.id).secrets_keys == ("5f3a", "77aa")
    assert FOUND.secrets_keys == ()


def test_an_id_tells_time_in_utc_and_revision() -> None:
    there = datetime(2026, 3, 4, 7, 6, 7, tzinfo=timezone(timedelta(hours=2)))
    assert taken(9, there).id == "20260304T050607Z-r9"
    assert manifest.parse_id("20260304T050607Z-r9") == (datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC), 9)


@pytest.mark.parametrize(
    "text", ["", "x", "20260304T050607Z", "20260304T050607Z-r0", "20260230T050607Z-r1", "20260304T050607Z-r1/.."]
)
def test_what_is_no_id_has_no_time(text: str) -> None:
    assert manifest.parse_id(text) is None


@pytest.mark.parametrize(
    ("field", "value"),
    [("namespace", "../x"), ("name", "a/b"), ("name", ".hidden"), ("name", "a..b"), ("uid", ""), ("uid", "a\n")],
)
def test_names_that_could_lead_elsewhere_are_refused(field: str, value: str) -> None:
    fields = {"namespace": "a", "name": "b", "uid": "c"} | {field: value}
    with pytest.raises(ValueError, match=f"cluster {field}: expected"):
        ClusterRef(**fields)


def test_a_time_without_its_zone_and_a_revision_that_is_none_are_refused() -> None:
    with pytest.raises(ValueError, match="taken_at: expected"):
        taken(1, NOW.replace(tzinfo=None))
    with pytest.raises(ValueError, match="revision: expected"):
        taken(0)


def changed(**fields: object) -> bytes:
    content = msgspec.json.decode(manifest.encode(FOUND), type=dict[str, object])
    return msgspec.json.encode({key: value for key, value in (content | fields).items() if value is not ...})


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "expected a manifest, found something else"),
        (b"\xff\xfe", "expected a manifest, found something else"),
        (b"[]", "expected a manifest, found something else"),
        (b"{}", "expected a manifest of format"),
        (changed(format="homeostat.dev/etcd-snapshot/v2"), "found 'homeostat.dev/etcd-snapshot/v2'"),
        (changed(etcdVersion=...), "etcdVersion"),
        (changed(extra=1), "extra"),
        (changed(plainBytes="many"), "plainBytes"),
        (changed(storedSha256="zz"), "storedSha256: expected 64"),
        (changed(revision=43), "disagrees with time and revision"),
        (changed(id="20260304T050607Z-r1"), "expected the manifest of 20260304T050607Z-r42"),
        (changed(cluster={"namespace": "a", "name": "b", "uid": "c"}), "found that of .* of a/b"),
        (changed(cluster={"namespace": "..", "name": "b", "uid": "c"}), "cluster namespace"),
    ],
)
def test_what_is_no_manifest_of_this_snapshot_is_refused_with_the_reason(content: bytes, told: str) -> None:
    with pytest.raises(ManifestUnsound, match=told):
        manifest.decode(content, CLUSTER, FOUND.id)


def test_the_seal_covers_everything_but_itself() -> None:
    assert manifest.sealed_part(replace(FOUND, seal="x")) == manifest.sealed_part(FOUND)
    assert manifest.sealed_part(replace(FOUND, etcd_version="3.5.0")) != manifest.sealed_part(FOUND)
