"""containerd's directory with all images in it, made once per set of images and then cloned to every host.

A containerd of the base, in mount and process namespaces of its own, imports and unpacks the archives. Whatever happens
to it, its mounts and processes end with it; the template appears by one rename.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from homeostat.kit.clock import Clock
from homeostat.local.command import confined, run
from homeostat.local.locks import attempt, locked

_SCRIPT = """
set -e
base=$1 template=$2 archives=$3 scratch=$4
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs "$scratch"
mkdir "$scratch/upper" "$scratch/work" "$scratch/root"
mount -t overlay overlay -o "lowerdir=$base,upperdir=$scratch/upper,workdir=$scratch/work" "$scratch/root"
root=$scratch/root
mkdir -p "$root/var/lib/containerd" "$root/archives"
mount --bind "$template" "$root/var/lib/containerd"
mount --bind "$archives" "$root/archives"
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/run"
printf 'version = 2\\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\\n' > "$root/config.toml"
chroot "$root" containerd --config /config.toml --log-level warn &
for try in $(seq 100); do
  chroot "$root" ctr version >/dev/null 2>&1 && break
  sleep 0.1
done
for archive in "$root"/archives/*.tar; do
  chroot "$root" ctr --namespace k8s.io images import "/archives/${archive##*/}" >/dev/null
done
kill $!
wait $! || true
"""


def template_key(base: Path, archives: Sequence[Path]) -> str:
    """The identity of a template: the base that unpacks, and the archives by name, size and time."""
    digest = hashlib.sha256(base.name.encode())
    for archive in sorted(archives):
        status = archive.stat()
        digest.update(f"\0{archive}\0{status.st_size}\0{status.st_mtime_ns}".encode())
    return digest.hexdigest()[:16]


async def containerd_template(base: Path, archives: Sequence[Path], cache: Path, *, clock: Clock) -> Path:
    """The directory to seed hosts from, made if it is not in the cache. Raises CommandError."""
    directory = cache / f"containerd-{template_key(base, archives)}"
    async with locked(cache / f"{directory.name}.lock", clock=clock):
        if not directory.exists():
            await _make(base, archives, directory, clock)
    return directory


async def _make(base: Path, archives: Sequence[Path], directory: Path, clock: Clock) -> None:
    with attempt(directory) as work:
        for name in ("made", "archives", "scratch"):
            (work / name).mkdir()
        for number, archive in enumerate(sorted(archives)):
            os.link(archive, work / "archives" / f"{number:02}.tar")
        paths = (base, work / "made", work / "archives", work / "scratch")
        script = confined(("/bin/sh", "-c", _SCRIPT, "containerd-template", *paths))
        await run(script, clock=clock, timeout_s=600)
        (work / "made").rename(directory)
