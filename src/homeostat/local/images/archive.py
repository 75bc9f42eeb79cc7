"""Docker archives, written so that the same files give the same bytes: sorted, owned by root, dated 1970.

Layers are plain tar files on disk, so that a layer of a hundred megabytes is copied and never held in memory. The
digests of layers and configuration are what registries and containerd will call them.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec
from msgspec import Struct


class Layer(Struct, frozen=True):
    """One tar file and its digest."""

    file: Path
    digest: str  # of the uncompressed tar, hex


def write_layer(files: Mapping[str, Path], target: Path) -> Layer:
    """A layer with these executables: path in the image to file here."""
    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as tar:
        for directory in _parents(files):
            tar.addfile(_entry(directory, tarfile.DIRTYPE, 0o755))
        for path, source in sorted(files.items()):
            entry = _entry(path, tarfile.REGTYPE, 0o755)
            entry.size = source.stat().st_size
            with source.open("rb") as content:
                tar.addfile(entry, content)
    return Layer(target, digest_of(target))


def write_tree_layer(tree: Path, prefix: str, target: Path) -> Layer:
    """A layer with a directory's files below a prefix; compiled and hidden files of tools are left to the caller."""
    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as tar:
        for directory in _parents([f"{prefix}/x"]):
            tar.addfile(_entry(directory, tarfile.DIRTYPE, 0o755))
        for path in sorted(tree.rglob("*")):
            name = f"{prefix}/{path.relative_to(tree)}"
            if path.is_dir():
                tar.addfile(_entry(name, tarfile.DIRTYPE, 0o755))
                continue
            entry = _entry(name, tarfile.REGTYPE, 0o755 if path.stat().st_mode & 0o100 else 0o644)
            entry.size = path.stat().st_size
            with path.open("rb") as content:
                tar.addfile(entry, content)
    return Layer(target, digest_of(target))


def write_archive(
    references: Iterable[str],
    layers: Iterable[Layer],
    target: Path,
    *,
    entrypoint: list[str],
    env: Mapping[str, str],
    architecture: str,
) -> str:
    """A docker archive of one image under some names; returns the image's id, `sha256:` of its configuration."""
    stacked = list(layers)
    configuration = msgspec.json.encode(
        {
            "architecture": architecture,
            "os": "linux",
            "created": "1970-01-01T00:00:00Z",
            "config": {"Env": [f"{name}={value}" for name, value in sorted(env.items())], "Entrypoint": entrypoint},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer.digest}" for layer in stacked]},
        }
    )
    identity = hashlib.sha256(configuration).hexdigest()
    manifest = msgspec.json.encode(
        [
            {
                "Config": f"{identity}.json",
                "RepoTags": list(references),
                "Layers": [f"{layer.digest}/layer.tar" for layer in stacked],
            }
        ]
    )
    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as tar:
        for name, body in ((f"{identity}.json", configuration), ("manifest.json", manifest)):
            entry = _entry(name, tarfile.REGTYPE, 0o644)
            entry.size = len(body)
            tar.addfile(entry, io.BytesIO(body))
        for layer in stacked:
            entry = _entry(f"{layer.digest}/layer.tar", tarfile.REGTYPE, 0o644)
            entry.size = layer.file.stat().st_size
            with layer.file.open("rb") as content:
                tar.addfile(entry, content)
    return f"sha256:{identity}"


def digest_of(file: Path) -> str:
    """The SHA-256 of a file, hex."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _entry(name: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode = kind, mode
    return entry


def _parents(paths: Iterable[str]) -> list[str]:
    return sorted({str(parent) for path in paths for parent in Path(path).parents if str(parent) != "."})
