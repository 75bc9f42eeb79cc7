"""Where a process keeps snapshots, as one text: `file:///directory` or `s3://bucket/prefix?endpoint=https://host`.

An address holds no credentials, so that it may stand in arguments, logs and status.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from urllib.parse import SplitResult, parse_qsl, urlsplit

from msgspec import Struct

_FORMS = "file:///directory or s3://bucket/prefix?endpoint=https://host"
_BUCKET = re.compile(r"[a-z0-9][-a-z0-9.]{1,61}[a-z0-9]", re.ASCII)
_PREFIX = re.compile(r"[-A-Za-z0-9_.]+(/[-A-Za-z0-9_.]+)*", re.ASCII)
_REGION = re.compile(r"[a-z0-9][-a-z0-9]{0,62}", re.ASCII)
_STYLES = ("path", "virtual", "auto")


class BadAddress(ValueError):
    """This is no address of a store; the message says what was expected."""


class DirectoryAddress(Struct, frozen=True):
    """A directory that is there already."""

    root: Path


class BucketAddress(Struct, frozen=True):
    """A bucket that is there already."""

    bucket: str
    prefix: str = ""  # what all names begin with; no slash at either end
    endpoint: str = ""  # empty: Amazon's own
    region: str = ""  # empty: as the environment says
    style: str = "auto"  # how the bucket is named to the store: path, virtual or auto


Address = DirectoryAddress | BucketAddress


def read_address(text: str) -> Address:
    """What a text means. Raises BadAddress."""
    try:
        parts = urlsplit(text)
    except ValueError as error:
        raise BadAddress(f"expected {_FORMS}, found {text!r}") from error
    if parts.username is not None or parts.password is not None:
        raise BadAddress("expected an address without credentials; those come from the environment or from files")
    if parts.scheme == "file":
        return _directory(text, parts)
    if parts.scheme == "s3":
        return _bucket(text, parts)
    raise BadAddress(f"expected {_FORMS}, found {text!r}")


def _directory(text: str, parts: SplitResult) -> DirectoryAddress:
    root = PurePosixPath(parts.path)
    if parts.netloc or parts.query or parts.fragment or not root.is_absolute() or ".." in root.parts:
        raise BadAddress(f"expected file:/// and an absolute directory, such as file:///snapshots, found {text!r}")
    return DirectoryAddress(Path(root))


def _bucket(text: str, parts: SplitResult) -> BucketAddress:
    prefix, given = parts.path.strip("/"), _parameters(parts)
    if not _BUCKET.fullmatch(parts.netloc) or parts.fragment:
        raise BadAddress(f"expected s3:// and the name of a bucket, such as s3://snapshots/cell-1, found {text!r}")
    if prefix and (not _PREFIX.fullmatch(prefix) or ".." in prefix):
        raise BadAddress(f"prefix: expected letters, digits, -, _, . and single slashes, found {prefix!r}")
    for name, allowed in (("region", _REGION), ("style", re.compile("|".join(_STYLES)))):
        if name in given and not allowed.fullmatch(given[name]):
            hint = f"one of {', '.join(_STYLES)}" if name == "style" else "a region such as eu-central-1"
            raise BadAddress(f"{name}: expected {hint}, found {given[name]!r}")
    if "endpoint" in given:
        _check_endpoint(given["endpoint"])
    return BucketAddress(parts.netloc, prefix, **given)


def _check_endpoint(text: str) -> None:
    endpoint = urlsplit(text)
    if endpoint.username is not None or endpoint.password is not None:
        raise BadAddress("endpoint: expected an address without credentials")
    beyond = endpoint.query or endpoint.fragment or endpoint.path.strip("/")
    if endpoint.scheme not in ("http", "https") or not endpoint.hostname or beyond:
        raise BadAddress(f"endpoint: expected https://host or https://host:port, found {text!r}")


def _parameters(parts: SplitResult) -> dict[str, str]:
    known = ("endpoint", "region", "style")
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    for name, _ in pairs:
        if name not in known:
            raise BadAddress(f"parameter {name!r}: expected one of {', '.join(known)}")
    if len(dict(pairs)) != len(pairs):
        raise BadAddress("expected each parameter once")
    return dict(pairs)
