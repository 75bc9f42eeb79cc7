"""A listing tells whole snapshots from damaged ones by names and sizes."""

from __future__ import annotations

import hashlib

import pytest
from tests.support.snapshots import taken

from homeostat.operators.cluster.backup import listing
from homeostat.operators.cluster.backup.listing import DATA_NAME, File, entries
from homeostat.operators.cluster.backup.manifest import MAX_BYTES

ID = taken().id
CONTENT = b'{"a": "manifest"}'
NAME = listing.manifest_name(CONTENT, 1216)
DATA = File(ID, DATA_NAME, 1216)
MANIFEST = File(ID, NAME, len(CONTENT))


def test_bytes_and_manifest_together_are_a_sound_snapshot() -> None:
    (found,) = entries([DATA, MANIFEST])
    assert found.is_sound
    assert (found.id, found.taken_at, found.revision, found.stored_bytes) == (ID, taken().taken_at, 42, 1216)


def test_what_homeostat_does_not_know_beside_a_snapshot_is_no_damage() -> None:
    assert entries([DATA, MANIFEST, File(ID, ".nfs0001", 3)])[0].is_sound


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ([DATA], "it has no manifest"),
        ([File(ID, "", 0)], "it has no manifest"),
        ([MANIFEST], "its bytes are missing"),
        ([File(ID, DATA_NAME, 1215), MANIFEST], "its bytes were changed: expected 1216 of them, found 1215"),
        ([DATA, File(ID, NAME, 3)], "its manifest was changed: expected 17 bytes, found 3"),
        ([DATA, File(ID, NAME, 17, "0" * 64)], "its checksum is not the one in its name"),
        ([DATA, MANIFEST, File(ID, listing.manifest_name(b"{}", 1216), 2)], "it has 2 manifests"),
        ([DATA, File(ID, listing.manifest_name(b"x" * (MAX_BYTES + 1), 1216), MAX_BYTES + 1)], "was changed"),
        ([File("lost+found", DATA_NAME, 1)], "its name is none that homeostat gives"),
    ],
)
def test_whatever_is_not_whole_is_listed_as_damaged(files: list[File], told: str) -> None:
    (found,) = entries(files)
    assert not found.is_sound
    assert told in found.damaged


def test_a_manifest_with_the_checksum_of_its_name_is_sound() -> None:
    assert entries([DATA, File(ID, NAME, 17, hashlib.sha256(CONTENT).hexdigest())])[0].is_sound
    assert listing.belongs(NAME, CONTENT)
    assert not listing.belongs(NAME, b'{"a": "manifesT"}')
    assert not listing.belongs("manifest.json", CONTENT)


def test_the_newest_comes_first_by_time_and_then_by_revision_as_a_number() -> None:
    ids = ["20260304T050607Z-r9", "20260304T050607Z-r10", "20260304T050606Z-r99", "odd"]
    found = entries(File(one, DATA_NAME, 1) for one in ids)
    assert [one.id for one in found] == [ids[1], ids[0], ids[2], ids[3]]
