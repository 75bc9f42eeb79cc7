"""Disks that are full, and caches that cannot be: one clear error each, and a sound cache afterwards."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.mirror import Mirror, tar_gz
from tests.support.programs import ARCH, COMPONENTS, VERSION, FakeGo, HastyClock, Told, closed_port_url, publish, tree

from homeostat.local.binaries import BinarySet, disk, ensure
from homeostat.local.binaries.errors import NoSpace, Unwritable, WrongChecksum
from homeostat.local.paths import Paths

KUBERNETES, ETCD = COMPONENTS[:2]


class Machine:
    """A cache that is filled by builds, or from a mirror."""

    def __init__(self, root: Path) -> None:
        self.root, self.cache = root, root / "cache/homeostat/binaries"
        self.go = FakeGo(root / "go")
        self.environment = {**self.go.environment, "HOMEOSTAT_MIRROR": closed_port_url(), "GOTMPDIR": f"{root}/tmp"}

    async def ensure(self) -> BinarySet:
        paths = Paths(self.root / "cache/homeostat", self.root / "state")
        return await ensure(
            paths, self.environment, versions=(VERSION,), clock=HastyClock(), progress=Told(), arch=ARCH
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def file_at(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("a file where a directory should be")


def directory_at(path: Path) -> None:
    (path / "sub").mkdir(parents=True)


@pytest.mark.parametrize(
    ("in_the_way", "make"),
    [
        ("cache", file_at),
        ("cache/homeostat", file_at),
        ("cache/homeostat/binaries", file_at),
        ("cache/homeostat/binaries/.work", file_at),
        ("cache/homeostat/binaries/.lock", directory_at),
        ("cache/homeostat/binaries/kubernetes-1.35.4", file_at),
        ("cache/homeostat/binaries/.work/kubernetes-1.35.4-kube-apiserver.sums", directory_at),
        ("cache/homeostat/binaries/.work/kubernetes-1.35.4-kube-apiserver.partial", directory_at),
        ("cache/homeostat/binaries/.work/kubernetes-1.35.4-kube-apiserver.json", directory_at),
        ("cache/homeostat/binaries/.work/etcd.unpacked", directory_at),
    ],
)
async def test_what_is_in_the_way_is_named_and_when_it_is_gone_all_is_well(
    machine: Machine, in_the_way: str, make: Callable[[Path], None]
) -> None:
    obstacle = machine.root / in_the_way
    make(obstacle)
    async with Mirror().serving() as mirror:
        machine.environment["HOMEOSTAT_MIRROR"] = mirror.url
        for component in COMPONENTS:
            publish(mirror, component)
        with pytest.raises(Unwritable, match=rf"{obstacle}.*; mend it, or set XDG_CACHE_HOME to a directory that can"):
            await machine.ensure()
        shutil.rmtree(obstacle) if obstacle.is_dir() else obstacle.unlink()
        found = await machine.ensure()
    assert VERSION in found.path("kubelet", VERSION).read_text()
    assert [name for name in tree(machine.cache) if name.startswith(".work") and not name.endswith("partial")] == []


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS])
async def test_a_cache_that_may_not_be_written_is_told(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(path: Path, **_: object) -> None:
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(Unwritable, match=rf"making the cache: {machine.cache}/.work: {os.strerror(number)}; mend it"):
        await machine.ensure()


async def test_a_file_system_without_locks_is_told(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_file: int, _how: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(Unwritable, match=r"locking the cache: .*No locks available; mend it"):
        await machine.ensure()


async def test_a_disk_that_becomes_full_leaves_what_is_finished(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Path.write_bytes

    def refuse(path: Path, data: bytes) -> int:
        if path.name == "etcd-3.6.16-etcd.json":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", refuse)
    with pytest.raises(NoSpace, match=r"etcd-3.6.16: keeping etcd: the disk is full at .*; free space and try again"):
        await machine.ensure()
    monkeypatch.undo()
    built = len(machine.go.built)
    await machine.ensure()
    assert machine.go.built[built:][:1] == [ETCD.programs[0].package]


async def test_a_disk_that_go_fills_is_told_as_such(machine: Machine) -> None:
    machine.go.fails("write /x: no space left on device\n")
    with pytest.raises(NoSpace, match=r"the disk became full; free space or set GOCACHE"):
        await machine.ensure()


async def test_a_cache_of_go_that_cannot_be_written_is_told_as_such(machine: Machine) -> None:
    machine.go.fails("failed to initialize build cache at /x: mkdir /x: permission denied\n")
    with pytest.raises(Unwritable, match=r"Go may not write where it keeps things; mend that, or set GOCACHE(.|\n)*/x"):
        await machine.ensure()


SPACE = KUBERNETES.space


@pytest.mark.parametrize(
    ("part", "mib", "variable"),
    [
        ("binaries", SPACE.programs, "XDG_CACHE_HOME"),
        ("objects", SPACE.objects, "GOCACHE"),
        ("modules", SPACE.modules, "GOMODCACHE"),
        ("tmp", SPACE.work, "GOTMPDIR"),
    ],
)
async def test_each_file_system_that_a_build_writes_is_looked_at(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, part: str, mib: int, variable: str
) -> None:
    monkeypatch.setattr(disk, "file_system", lambda place: int(place.name == part))
    monkeypatch.setattr(disk, "free_mib", lambda place: mib - 1 if place.name == part else 1_000_000)
    expected = (
        rf"building kubernetes-1.35.4: expected {mib} MiB free at \S+/{part}, found {mib - 1} MiB; .*{variable} to"
    )
    with pytest.raises(NoSpace, match=expected):
        await machine.ensure()
    assert machine.go.built == []


async def test_what_goes_to_one_file_system_is_added_up(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    needed = SPACE.programs + SPACE.objects + SPACE.modules + SPACE.work
    monkeypatch.setattr(disk, "free_mib", lambda _: needed - 1)
    monkeypatch.setattr(disk, "file_system", lambda _: 1)
    variables = "XDG_CACHE_HOME and GOCACHE and GOMODCACHE and GOTMPDIR"
    with pytest.raises(NoSpace, match=rf"expected {needed} MiB free at .*, found {needed - 1} MiB; .* set {variables}"):
        await machine.ensure()
    monkeypatch.setattr(disk, "free_mib", lambda _: needed)
    await machine.ensure()


def test_places_that_are_still_to_be_made_are_on_the_disk_of_their_parent(tmp_path: Path) -> None:
    assert disk.file_system(tmp_path / "a/b") == tmp_path.stat().st_dev
    assert disk.free_mib(tmp_path / "a/b") > 0


async def test_a_file_with_the_right_sum_that_is_no_archive_is_refused(machine: Machine) -> None:
    async with Mirror().serving() as mirror:
        machine.environment["HOMEOSTAT_MIRROR"] = mirror.url
        publish(mirror, KUBERNETES)
        file = ETCD.files[0]
        mirror.release(file.path, tar_gz([("x", os.urandom(20_000))])[:10_000])
        mirror.files[file.checksums] = mirror.files[f"{file.path}.sha256"]
        with pytest.raises(WrongChecksum, match=r"expected an archive, as its project publishes, found"):
            await machine.ensure()
    assert [name for name in tree(machine.cache) if name.startswith((".work", "etcd"))] == []
