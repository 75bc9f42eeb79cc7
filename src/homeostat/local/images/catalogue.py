"""Which images a data centre holds, of what they are made, and what they are called.

Production uses registry references in the same fields; here the registry is called homeostat.local and is never asked,
because every host has the images before its first Pod.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

REPOSITORY = "homeostat.local"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PAUSE_TAGS = ("1", "3.10.1")  # ours, and the one that kubeadm expects

FindBinary = Callable[[str, str], Path]  # (name, version) to the file


class Image(Struct, frozen=True):
    """An image of static executables: path in the image to file here."""

    name: str
    tags: tuple[str, ...]
    files: dict[str, Path]
    entrypoint: tuple[str, ...] = ()

    @property
    def references(self) -> tuple[str, ...]:
        """All its names."""
        return tuple(f"{REPOSITORY}/{self.name}:{tag}" for tag in self.tags)

    @property
    def label(self) -> str:
        """What people and files call it."""
        return f"{self.name}-{self.tags[0]}"


def binary_images(
    find: FindBinary, *, kubernetes: tuple[str, ...], etcd: tuple[str, ...], coredns: str, local_path: str, pause: Path
) -> tuple[Image, ...]:
    """The images of all versions that are offered."""
    masters = tuple(
        _one(find, name, version, f"v{version}")
        for version in kubernetes
        for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
    )
    return (
        *masters,
        *(_etcd(find, version) for version in etcd),
        _one(find, "coredns", coredns, coredns),
        _one(find, "local-path-provisioner", local_path, local_path),
        Image("pause", PAUSE_TAGS, {"usr/local/bin/pause": pause}, ("/usr/local/bin/pause", "-P")),
    )


def _etcd(find: FindBinary, version: str) -> Image:
    files = {f"usr/local/bin/{name}": find(name, version) for name in ("etcd", "etcdctl", "etcdutl")}
    return Image("etcd", (version,), files, ("/usr/local/bin/etcd",))


def _one(find: FindBinary, name: str, version: str, tag: str) -> Image:
    return Image(name, (tag,), {f"usr/local/bin/{name}": find(name, version)}, (f"/usr/local/bin/{name}",))
