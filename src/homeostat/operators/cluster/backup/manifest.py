"""What is written down about every snapshot: a JSON file beside it, readable without any key and without homeostat.

The format is versioned; a reader refuses what it does not know. The seal, a keyed hash that the store computes and
checks, binds the rest: whoever can write to the store but has no key can neither forge a snapshot nor pass one off as
another cluster's.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

import msgspec
from msgspec import UNSET, Struct, UnsetType

FORMAT = "homeostat.dev/etcd-snapshot/v1"
MAX_BYTES = 64 * 1024  # a manifest has less than 2 KiB; whatever is larger is none

_PART = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?", re.ASCII)  # a DNS subdomain; no slash, no leading dot
_UID = re.compile(r"[0-9A-Za-z]([-0-9A-Za-z]{0,126}[0-9A-Za-z])?", re.ASCII)
_ID = re.compile(r"([0-9]{8}T[0-9]{6}Z)-r([1-9][0-9]{0,18})", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_TIME = "%Y%m%dT%H%M%SZ"


class ManifestUnsound(ValueError):
    """These bytes are no manifest that can be trusted; the message says why."""


class ClusterRef(Struct, frozen=True):
    """Whose snapshot it is. The uid tells a cluster from an earlier one of the same name. Raises ValueError."""

    namespace: str
    name: str
    uid: str

    def __post_init__(self) -> None:
        """Names become directories and keys, so nothing else than a Kubernetes name passes."""
        for field, value, grammar in (
            ("namespace", self.namespace, _PART),
            ("name", self.name, _PART),
            ("uid", self.uid, _UID),
        ):
            if not grammar.fullmatch(value) or ".." in value:
                raise ValueError(f"cluster {field}: expected a Kubernetes name, found {value!r}")

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name} ({self.uid})"


class Taken(Struct, frozen=True):
    """What whoever took a snapshot knows about it. Raises ValueError."""

    cluster: ClusterRef
    etcd_version: str
    kubernetes_version: str
    package_version: str  # name of the ClusterPackageVersion that the masters followed
    revision: int  # etcd's, of the whole key space; at least 1
    taken_at: datetime  # aware; kept to the second
    secrets_key: str = ""  # the name of the key that the Secrets in it are encrypted with; empty: none
    other_secrets_key: str = ""  # of a second one: a rotation from the one to the other was under way

    def __post_init__(self) -> None:
        """The id is made from two of these, so both must be what they say."""
        if self.taken_at.tzinfo is None:
            raise ValueError(f"taken_at: expected a time with its zone, found {self.taken_at.isoformat()}")
        if not 0 < self.revision < 1 << 63:
            raise ValueError(f"revision: expected a positive 64-bit number, found {self.revision}")

    @property
    def id(self) -> str:
        """Names the snapshot within its cluster: time, then revision; sorts by age. The same moment is the same id."""
        return f"{self.taken_at.astimezone(UTC):{_TIME}}-r{self.revision}"


class Encryption(Struct, frozen=True, rename="camel"):
    """How the stored bytes were made from the plain ones."""

    format: str
    key_id: str
    recipient: str  # the public half of the key: tells a wrong key under the right id


class Manifest(Struct, frozen=True, rename="camel", kw_only=True, forbid_unknown_fields=True):
    """Everything that is known about one snapshot."""

    format: str = FORMAT
    id: str
    cluster: ClusterRef
    etcd_version: str
    kubernetes_version: str
    package_version: str
    revision: int
    taken_at: datetime
    plain_bytes: int
    plain_sha256: str
    stored_bytes: int
    stored_sha256: str
    encryption: Encryption
    homeostat_version: str
    # The name of the key, not kept here, that the Secrets in it are encrypted with; left out where they are not.
    secrets_key: str | UnsetType = UNSET
    other_secrets_key: str | UnsetType = UNSET  # of a second one, of a snapshot from the middle of a rotation
    seal: str = ""  # hexadecimal HMAC-SHA256 over the manifest without it

    @property
    def secrets_keys(self) -> tuple[str, ...]:
        """The names of all keys that are needed to read the Secrets in it."""
        return tuple(key for key in (self.secrets_key, self.other_secrets_key) if isinstance(key, str))


class _Head(Struct):
    format: str = ""


def parse_id(text: str) -> tuple[datetime, int] | None:
    """When the snapshot of an id was taken, and at which revision; None for what is no id."""
    match = _ID.fullmatch(text)
    if match is None:
        return None
    try:
        return datetime.strptime(match[1], _TIME).replace(tzinfo=UTC), int(match[2])
    except ValueError:  # the 30th of February
        return None


def describe(
    taken: Taken,
    *,
    plain: tuple[int, str],
    stored: tuple[int, str],
    encryption: Encryption,
    homeostat_version: str,
) -> Manifest:
    """The manifest, not yet sealed, of a snapshot whose sizes in bytes and hexadecimal SHA-256 are known."""
    return Manifest(
        id=taken.id,
        cluster=taken.cluster,
        etcd_version=taken.etcd_version,
        kubernetes_version=taken.kubernetes_version,
        package_version=taken.package_version,
        revision=taken.revision,
        taken_at=taken.taken_at.astimezone(UTC).replace(microsecond=0),
        plain_bytes=plain[0],
        plain_sha256=plain[1],
        stored_bytes=stored[0],
        stored_sha256=stored[1],
        encryption=encryption,
        homeostat_version=homeostat_version,
        secrets_key=taken.secrets_key or UNSET,
        other_secrets_key=taken.other_secrets_key or UNSET,
    )


def sealed_part(manifest: Manifest) -> bytes:
    """The bytes that the seal is computed over: stable, whatever the order of fields in a file."""
    return msgspec.json.encode(msgspec.structs.replace(manifest, seal=""), order="deterministic")


def encode(manifest: Manifest) -> bytes:
    """The file, indented for people."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"


def decode(content: bytes, cluster: ClusterRef, snapshot: str) -> Manifest:
    """The manifest of a snapshot of a cluster, its seal not looked at. Raises ManifestUnsound."""
    try:
        head = msgspec.json.decode(content, type=_Head)
        if head.format != FORMAT:
            raise ManifestUnsound(f"expected a manifest of format {FORMAT}, found {head.format[:80]!r}")
        manifest = msgspec.json.decode(content, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
        if isinstance(error, ManifestUnsound):
            raise
        raise ManifestUnsound(f"expected a manifest, found something else: {error}") from error
    if (manifest.cluster, manifest.id) != (cluster, snapshot):
        raise ManifestUnsound(
            f"expected the manifest of {snapshot} of {cluster}, found that of {manifest.id} of {manifest.cluster}"
        )
    if parse_id(manifest.id) != (manifest.taken_at, manifest.revision):
        raise ManifestUnsound(f"the id {manifest.id} disagrees with time and revision in the manifest")
    for name, value in (("plainSha256", manifest.plain_sha256), ("storedSha256", manifest.stored_sha256)):
        if not _SHA256.fullmatch(value):
            raise ManifestUnsound(f"{name}: expected 64 hexadecimal digits, found {value[:80]!r}")
    return manifest
