"""The keys that snapshots are encrypted with: age X25519 identities, each with an id that stands in the manifest.

An id begins with the date of the key, `2026-11-23` or `2026-11-23-eu`, so that the newest, which encrypts, is no matter
of opinion. All others decrypt what was encrypted while they were the newest.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import pyrage
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_ID = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(-[a-z0-9][-a-z0-9]{0,30})?", re.ASCII)
_IDENTITY = re.compile(r"AGE-SECRET-KEY-1[0-9A-Z]+", re.ASCII)
_SEALING = b"homeostat.dev/etcd-snapshot/v1/seal"
_MAX_FILE_BYTES = 16 * 1024


class BadKeyRing(Exception):
    """The key ring cannot be used: no key, a key of a wrong form, two of one id. The message shows no key."""


class Key:
    """One identity and its id. Shows itself nowhere. Raises BadKeyRing."""

    def __init__(self, key_id: str, secret: str) -> None:
        if not is_id(key_id):
            raise BadKeyRing(
                f"key {key_id[:60]!r}: expected an id such as 2026-11-23 or 2026-11-23-eu; rename it to the date on "
                "which it was made"
            )
        try:
            identity = pyrage.x25519.Identity.from_str(secret)
        except (pyrage.IdentityError, ValueError):
            raise BadKeyRing(
                f"key {key_id}: expected an age identity (AGE-SECRET-KEY-1...), found something else; make one with "
                "`age-keygen`"
            ) from None
        self.id = key_id
        self.identity: Any = identity  # pyrage's own type, which has no stub
        self.public: Any = identity.to_public()
        # The seal's key is derived, so that one secret is to be kept, and one use of it says nothing on the other.
        self._sealing = HKDF(hashes.SHA256(), 32, salt=None, info=_SEALING).derive(str(identity).encode())

    def __repr__(self) -> str:
        return f"Key({self.id})"

    @property
    def recipient(self) -> str:
        """The public half."""
        return str(self.public)

    def seal(self, content: bytes) -> str:
        """Hexadecimal HMAC-SHA256."""
        return hmac.new(self._sealing, content, hashlib.sha256).hexdigest()

    def has_sealed(self, content: bytes, seal: str) -> bool:
        """Whether a seal is the one of this key over this content."""
        return hmac.compare_digest(self.seal(content).encode(), seal.encode())


class KeyRing:
    """At least one key. Raises BadKeyRing."""

    def __init__(self, keys: Iterable[Key]) -> None:
        ordered = sorted(keys, key=lambda key: key.id)
        if not ordered:
            raise BadKeyRing("expected at least one key, found none; make one with `age-keygen`")
        self._keys = {key.id: key for key in ordered}
        if len(self._keys) != len(ordered):
            raise BadKeyRing("expected ids that differ, found two keys of one id")
        self.newest = ordered[-1]

    def __repr__(self) -> str:
        return f"KeyRing({', '.join(self._keys)})"

    @property
    def ids(self) -> tuple[str, ...]:
        """From the oldest to the newest."""
        return tuple(self._keys)

    def get(self, key_id: str) -> Key | None:
        """The key of an id, if it is there."""
        return self._keys.get(key_id)


def is_id(text: str) -> bool:
    """Whether a text is an id of a key: a date, perhaps with a word."""
    match = _ID.fullmatch(text)
    if match is None:
        return False
    try:
        date.fromisoformat(match[1])
    except ValueError:
        return False
    return True


def load(directory: Path) -> KeyRing:
    """The keys of a directory, as a mounted Secret is: each file is named by its id and holds what `age-keygen` prints.

    Names with a leading dot are passed over: Kubernetes keeps its own there. Blocks for a few file reads. Raises
    BadKeyRing.
    """
    try:
        files = sorted(file for file in directory.iterdir() if not file.name.startswith(".") and file.is_file())
        return KeyRing(Key(file.name, _secret_in(file)) for file in files)
    except OSError as error:
        raise BadKeyRing(
            f"key ring {directory}: {error.strerror or 'cannot be read'}; mount the Secret with the keys there"
        ) from error


def _secret_in(file: Path) -> str:
    with file.open("rb") as opened:
        content = opened.read(_MAX_FILE_BYTES)
    found = _IDENTITY.findall(content.decode("ascii", "replace"))
    if len(found) != 1:
        raise BadKeyRing(f"key {file.name}: expected one line AGE-SECRET-KEY-1..., found {len(found)}")
    return str(found[0])
