"""Where a process keeps snapshots, as one text: `file:///directory`.

An address holds no credentials, so that it may stand in arguments, logs and status.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from msgspec import Struct

_FORMS = "file:///directory"


class BadAddress(ValueError):
    """This is no address of a store; the message says what was expected."""


class DirectoryAddress(Struct, frozen=True):
    """A directory that is there already."""

    root: Path


def read_address(text: str) -> DirectoryAddress:
    """What a text means. Raises BadAddress."""
    parts = urlsplit(text)
    if parts.username is not None or parts.password is not None:
        raise BadAddress("expected an address without credentials; those come from the environment or from files")
    if parts.scheme == "file":
        return _directory(text)
    raise BadAddress(f"expected {_FORMS}, found {text!r}")


def _directory(text: str) -> DirectoryAddress:
    parts = urlsplit(text)
    root = PurePosixPath(parts.path)
    if parts.netloc or parts.query or parts.fragment or not root.is_absolute() or ".." in root.parts:
        raise BadAddress(f"expected file:/// and an absolute directory, such as file:///snapshots, found {text!r}")
    return DirectoryAddress(Path(root))
