"""Snapshots as one listing of a store shows them: names and sizes, no content.

The manifest's name carries its own size, the beginning of its SHA-256 and the size of the bytes beside it, so a listing
alone tells a whole snapshot from one that was cut off or tampered with coarsely. A change that keeps every size is
found when the manifest or the bytes are read, which always comes before a restore.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime

from msgspec import Struct

from homeostat.operators.cluster.backup.manifest import MAX_BYTES, parse_id

DATA_NAME = "snapshot.age"
_NEVER = datetime.min.replace(tzinfo=UTC)
_MANIFEST_NAME = re.compile(r"manifest-([0-9]{1,19})-([0-9]{1,19})-([0-9a-f]{16})\.json", re.ASCII)


class File(Struct, frozen=True):
    """One file of a snapshot in a listing."""

    snapshot: str
    name: str
    size: int  # bytes
    sha256: str = ""  # hexadecimal; empty where telling it would take a download


class Entry(Struct, frozen=True):
    """One snapshot as a listing shows it."""

    id: str
    taken_at: datetime | None  # None: the id is none that homeostat gives
    revision: int  # 0: as above
    stored_bytes: int
    damaged: str = ""  # what is wrong with it; empty: nothing that a listing can see

    @property
    def is_sound(self) -> bool:
        """Whether nothing is known against it."""
        return not self.damaged


def manifest_name(content: bytes, stored_bytes: int) -> str:
    """What the file with this manifest is called."""
    return f"manifest-{stored_bytes}-{len(content)}-{hashlib.sha256(content).hexdigest()[:16]}.json"


def is_manifest(name: str) -> bool:
    """Whether a file has the name of a manifest."""
    return _MANIFEST_NAME.fullmatch(name) is not None


def belongs(name: str, content: bytes) -> bool:
    """Whether a manifest's name is that of this content."""
    match = _MANIFEST_NAME.fullmatch(name)
    return match is not None and name == manifest_name(content, int(match[1]))


def entries(files: Iterable[File]) -> tuple[Entry, ...]:
    """Every snapshot that files belong to, the newest first, the damaged among them."""
    grouped: dict[str, list[File]] = defaultdict(list)
    for file in files:
        grouped[file.snapshot].append(file)
    return newest_first(_entry(name, members) for name, members in grouped.items())


def newest_first(snapshots: Iterable[Entry]) -> tuple[Entry, ...]:
    """By time, then revision; those without either come last."""
    return tuple(sorted(snapshots, key=lambda one: (one.taken_at or _NEVER, one.revision, one.id), reverse=True))


def _entry(snapshot: str, files: list[File]) -> Entry:
    data = next((file for file in files if file.name == DATA_NAME), None)
    manifests = [file for file in files if is_manifest(file.name)]
    taken_at, revision = parse_id(snapshot) or (None, 0)
    damage = "its name is none that homeostat gives" if taken_at is None else _damage(data, manifests)
    return Entry(snapshot, taken_at, revision, data.size if data else 0, damage)


def _damage(data: File | None, manifests: list[File]) -> str:
    if not manifests:
        return "it has no manifest: it is being written just now, or writing it was cut off"
    if len(manifests) > 1:
        return f"it has {len(manifests)} manifests"
    match = _MANIFEST_NAME.fullmatch(manifests[0].name)
    if match is None:
        return "its manifest has a wrong name"
    stored, own, digest = int(match[1]), int(match[2]), match[3]
    if manifests[0].size != own or own > MAX_BYTES:
        return f"its manifest was changed: expected {own} bytes, found {manifests[0].size}"
    if manifests[0].sha256 and not manifests[0].sha256.startswith(digest):
        return "its manifest was changed: its checksum is not the one in its name"
    if data is None:
        return "its bytes are missing"
    if data.size != stored:
        return f"its bytes were changed: expected {stored} of them, found {data.size}"
    return ""
