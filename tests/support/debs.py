"""Debian packages and a repository of them, made of bytes: hosts of tests reach no other."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import PurePosixPath


def deb(name: str, version: str, files: Mapping[str, bytes]) -> bytes:
    """A package for every architecture, with files at absolute paths."""
    control = f"Package: {name}\nVersion: {version}\nArchitecture: all\n"
    control += "Maintainer: nobody <nobody@localhost>\nDescription: of a test\n"
    parts = {"debian-binary": b"2.0\n", "control.tar.gz": _tar({"/control": control.encode()})}
    members = (_member(part, content) for part, content in (parts | {"data.tar.gz": _tar(files)}).items())
    return b"!<arch>\n" + b"".join(members)


def index(packages: Iterable[tuple[str, str, str, bytes]]) -> bytes:
    """What apt reads of a repository: of each package its name, version, file and content."""
    entries = (
        f"Package: {name}\nVersion: {version}\nArchitecture: all\nFilename: ./{file}\nSize: {len(content)}\n"
        f"SHA256: {sha256(content).hexdigest()}\nDescription: of a test\n"
        for name, version, file, content in packages
    )
    return "\n".join(entries).encode()


def _member(name: str, content: bytes) -> bytes:
    """Of an `ar` archive, as deb(5) has them."""
    head = f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(content):<10}`\n".encode()
    return head + content + b"\n" * (len(content) % 2)


def _tar(files: Mapping[str, bytes]) -> bytes:
    """With every directory on the way, which dpkg does not make by itself."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for directory in sorted({str(each) for path in files for each in PurePosixPath(path).parents} - {"/"}):
            entry = tarfile.TarInfo(f".{directory}")
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(entry)
        for path, content in files.items():
            entry = tarfile.TarInfo(f".{path}")
            entry.size, entry.mode = len(content), 0o644
            archive.addfile(entry, io.BytesIO(content))
    return gzip.compress(made.getvalue(), mtime=0)
