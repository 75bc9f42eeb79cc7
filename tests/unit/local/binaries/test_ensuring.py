"""Each component comes from the first source that has it: directory, cache, release, build."""

from __future__ import annotations

import asyncio
import fcntl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.support.clock import ManualClock
from tests.support.mirror import Cut, Mirror, Status
from tests.support.programs import (
    ARCH,
    COMPONENTS,
    VERSION,
    FakeGo,
    HastyClock,
    Told,
    closed_port_url,
    install,
    install_all,
    publish,
    record_of,
    tree,
)

from homeostat.local.binaries import BinarySet, ensure, ensure_program, go
from homeostat.local.binaries.components import KUBERNETES_VERSIONS, Component
from homeostat.local.binaries.download import ATTEMPTS
from homeostat.local.binaries.errors import (
    BinariesError,
    BrokenDownload,
    BuildFailed,
    NoToolchain,
    Unknown,
    WrongChecksum,
    WrongVersion,
)
from homeostat.local.paths import Paths

PROGRAMS = [(name, one.version) for one in COMPONENTS for name in one.names]
KUBERNETES, _, ETCD, COREDNS, LOCAL_PATH = COMPONENTS


class Machine:
    """A cache, an environment and what was told."""

    def __init__(self, root: Path) -> None:
        self.root, self.told = root, Told()
        self.paths = Paths(root / "cache", root / "state")
        self.go = FakeGo(root / "go")
        self.environment = {**self.go.environment, "HOMEOSTAT_MIRROR": closed_port_url()}

    async def ensure(self) -> BinarySet:
        return await ensure(
            self.paths, self.environment, versions=(VERSION,), clock=HastyClock(), progress=self.told, arch=ARCH
        )

    def cached(self) -> list[str]:
        return [name for name in tree(self.paths.binaries) if not name.endswith(".json")]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.fixture
async def mirror(machine: Machine) -> AsyncIterator[Mirror]:
    async with Mirror().serving() as serving:
        for component in COMPONENTS:
            publish(serving, component)
        machine.environment["HOMEOSTAT_MIRROR"] = serving.url
        yield serving


async def test_a_directory_with_everything_needs_no_network_and_no_go(machine: Machine) -> None:
    install_all(machine.root / "mine")
    machine.environment["HOMEOSTAT_BINARIES_DIR"] = str(machine.root / "mine")
    found = await machine.ensure()
    for name, version in PROGRAMS:
        assert found.path(name, version).is_relative_to(machine.root / "mine")
    assert machine.go.built == []
    assert machine.cached() == []


async def test_what_a_directory_does_not_have_comes_from_the_next_source(machine: Machine) -> None:
    install(machine.root / "mine" / VERSION, VERSION, *KUBERNETES.names)
    machine.environment["HOMEOSTAT_BINARIES_DIR"] = str(machine.root / "mine")
    found = await machine.ensure()
    assert found.path("kubelet", VERSION) == machine.root / "mine" / VERSION / "kubelet"
    assert found.path("etcd", ETCD.version).is_relative_to(machine.paths.binaries)


async def test_releases_are_downloaded_verified_and_kept(machine: Machine, mirror: Mirror) -> None:
    found = await machine.ensure()
    for name, version in PROGRAMS:
        assert version in found.path(name, version).read_text()
    assert machine.go.built == [LOCAL_PATH.programs[0].package]
    assert record_of(found.path("etcd", ETCD.version))["source"] == f"{mirror.url}/{ETCD.files[0].path}"
    mirror.requests.clear()
    again = await machine.ensure()
    assert again == found
    assert mirror.requests == []


async def test_the_password_of_a_mirror_is_neither_kept_nor_shown(machine: Machine, mirror: Mirror) -> None:
    machine.environment["HOMEOSTAT_MIRROR"] = mirror.url.replace("//", "//user:secret@")
    del mirror.files[COREDNS.files[0].path]
    found = await machine.ensure()
    assert record_of(found.path("etcd", ETCD.version))["source"] == f"{mirror.url}/{ETCD.files[0].path}"
    assert "no release" in machine.told
    assert "secret" not in machine.told


async def test_without_a_release_all_is_built_once_in_order(machine: Machine) -> None:
    found = await machine.ensure()
    assert machine.go.built == [program.package for one in COMPONENTS for program in one.programs]
    assert await machine.ensure() == found
    assert len(machine.go.built) == len(PROGRAMS)
    assert "building kubelet 1.35.4 (4 of 7): 0 s" in machine.told


async def test_builds_are_pinned_static_and_stamped(machine: Machine) -> None:
    machine.environment |= {"CGO_ENABLED": "1", "GOFLAGS": "-mod=mod", "GOWORK": "/elsewhere"}
    await machine.ensure()
    call = machine.go.calls.read_text().splitlines()[0]
    assert call.startswith("CGO_ENABLED=0 GOFLAGS=-buildvcs=false GOWORK=off")
    assert "-mod=readonly -trimpath -gcflags=all=-dwarf=false -ldflags -s -w -buildid= " in call
    assert f"-X k8s.io/component-base/version.gitVersion=v{VERSION}" in call


async def test_a_mirror_without_a_component_leaves_it_to_the_build(machine: Machine, mirror: Mirror) -> None:
    for path in [path for path in mirror.files if "etcd" in path]:
        del mirror.files[path]
    found = await machine.ensure()
    assert "build-" in str(found.path("etcd", ETCD.version))
    assert "release" in str(found.path("coredns", COREDNS.version))
    assert "etcd-3.6.16: no release" in machine.told


async def test_a_release_without_a_checksum_is_not_used(machine: Machine, mirror: Mirror) -> None:
    del mirror.files[COREDNS.files[0].checksums]
    found = await machine.ensure()
    assert "build-" in str(found.path("coredns", COREDNS.version))
    assert mirror.asked(COREDNS.files[0].path) == []


@pytest.mark.parametrize("component", [KUBERNETES, ETCD, COREDNS], ids=lambda one: one.name)
async def test_a_wrong_checksum_ends_it_and_keeps_nothing(
    machine: Machine, mirror: Mirror, component: Component
) -> None:
    file = component.files[0]
    good = mirror.files[file.path]
    mirror.files[file.path] = good + b"evil"
    with pytest.raises(WrongChecksum, match=r"expected sha256 [0-9a-f]{64}, found [0-9a-f]{64}; nothing of it"):
        await machine.ensure()
    assert not [name for name in machine.cached() if name.startswith((component.label, ".work"))]
    mirror.files[file.path] = good
    await machine.ensure()


async def test_a_list_of_checksums_without_the_file_ends_it(machine: Machine, mirror: Mirror) -> None:
    mirror.files[ETCD.files[0].checksums] = b"<html>not found</html>"
    with pytest.raises(WrongChecksum, match=r"expected a line with the SHA-256 or SHA-512 of etcd-v3.6.16"):
        await machine.ensure()


async def test_an_interrupted_download_continues_with_the_next_run(machine: Machine, mirror: Mirror) -> None:
    path = KUBERNETES.files[0].path
    mirror.faults[path] = [Cut(5)] * ATTEMPTS
    with pytest.raises(BrokenDownload):
        await machine.ensure()
    await machine.ensure()
    assert mirror.asked(path) == ["", "5", "10", "15", "20"]


async def test_a_stale_part_is_replaced_when_the_sum_does_not_fit(machine: Machine, mirror: Mirror) -> None:
    path = KUBERNETES.files[0].path
    work = machine.paths.binaries / ".work"
    work.mkdir(parents=True)
    (work / "kubernetes-1.35.4-kube-apiserver.partial").write_bytes(b"another")
    await machine.ensure()
    assert mirror.asked(path) == ["7", ""]


async def test_programs_that_were_finished_before_a_failure_are_not_fetched_again(
    machine: Machine, mirror: Mirror
) -> None:
    third = KUBERNETES.files[2].path
    mirror.files[third] += b"evil"
    with pytest.raises(WrongChecksum):
        await machine.ensure()
    publish(mirror, KUBERNETES)
    await machine.ensure()
    assert len(mirror.asked(KUBERNETES.files[0].path)) == 1
    assert len(mirror.asked(third)) == 2


async def test_an_unreachable_mirror_is_asked_once_for_all_components(machine: Machine, mirror: Mirror) -> None:
    first = KUBERNETES.files[0].checksums
    mirror.faults[first] = [Status(503)] * ATTEMPTS
    await machine.ensure()
    assert len(mirror.requests) == ATTEMPTS


async def test_a_release_of_another_version_is_refused(machine: Machine, mirror: Mirror) -> None:
    mirror.release(KUBERNETES.files[0].path, b"#!/bin/sh\necho v9.9.9\n")
    with pytest.raises(
        WrongVersion, match=r"kube-apiserver: expected 1.35.4, the new file tells 9.9.9; it was not kept"
    ):
        await machine.ensure()
    assert not [name for name in machine.cached() if "release" in name]


async def test_a_build_of_another_version_is_refused(machine: Machine) -> None:
    machine.go.makes("1.0.0")
    with pytest.raises(WrongVersion, match=r"expected 1.35.4, the new file tells 1.0.0"):
        await machine.ensure()
    assert machine.cached() == []


async def test_a_failed_build_says_what_go_said_and_is_resumed(machine: Machine) -> None:
    machine.go.fails("main.go:1: undefined: banana\n")
    with pytest.raises(BuildFailed, match=r"no release to download .* so it is built: (.|\n)*undefined: banana"):
        await machine.ensure()
    assert machine.cached() == []
    machine.go.works()
    await machine.ensure()


async def test_without_go_the_message_names_all_remedies(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(go, "_USUAL", machine.root / "nowhere")
    machine.environment["PATH"] = str(machine.root)
    with pytest.raises(NoToolchain, match=r"go: expected it on PATH .*HOMEOSTAT_BINARIES_DIR or HOMEOSTAT_MIRROR"):
        await machine.ensure()


async def test_an_old_go_fetches_a_newer_one_where_it_can(machine: Machine) -> None:
    machine.go = FakeGo(machine.root / "go", "go1.22.4")
    machine.go.can_fetch("go1.26.8")
    await machine.ensure()
    assert "GOTOOLCHAIN=auto" in machine.go.calls.read_text()


async def test_an_old_go_that_may_not_fetch_is_an_error(machine: Machine) -> None:
    machine.go = FakeGo(machine.root / "go", "go1.19.8")
    machine.go.can_fetch("go1.26.8")
    machine.environment["GOTOOLCHAIN"] = "local"
    with pytest.raises(NoToolchain, match=r"expected go1\.2\d\.\d or newer for .*, found go1.19.8; let it fetch one"):
        await machine.ensure()


async def test_go_is_asked_once_for_all_components_and_not_at_all_with_releases(
    machine: Machine, mirror: Mirror
) -> None:
    await machine.ensure()
    assert machine.go.asked == 1  # for the one component without releases
    machine.environment["HOMEOSTAT_MIRROR"] = closed_port_url()
    machine.paths = Paths(machine.root / "another", machine.root / "state")
    for _ in range(2):
        asked = machine.go.asked
        await machine.ensure()
        assert machine.go.asked == asked + 1


async def test_another_go_builds_anew_and_a_missing_one_takes_what_is_there(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(go, "_USUAL", machine.root / "nowhere")
    first = await machine.ensure()
    FakeGo(machine.root / "go", "go1.27.0")
    second = await machine.ensure()
    assert first.path("etcd", ETCD.version) != second.path("etcd", ETCD.version)
    machine.environment["PATH"] = str(machine.root)
    assert (await machine.ensure()).path("etcd", ETCD.version).is_file()


async def test_a_file_that_was_cut_short_is_made_again(machine: Machine) -> None:
    found = await machine.ensure()
    found.path("kubelet", VERSION).write_bytes(b"")
    await machine.ensure()
    assert machine.go.built[len(PROGRAMS) :] == ["k8s.io/kubernetes/cmd/kubelet"]


async def test_two_at_once_share_one_build(machine: Machine) -> None:
    first, second = await asyncio.gather(machine.ensure(), machine.ensure())
    assert first == second
    assert len(machine.go.built) == len(PROGRAMS)


async def test_whoever_waits_says_so_and_can_be_stopped(machine: Machine) -> None:
    machine.paths.binaries.mkdir(parents=True)
    with (machine.paths.binaries / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        clock = ManualClock()
        waiting = asyncio.create_task(
            ensure(machine.paths, machine.environment, versions=(VERSION,), clock=clock, progress=machine.told)
        )
        await clock.advance(3)
        assert "waiting for another homeostat" in machine.told
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting


async def program(machine: Machine, name: str, version: str = "") -> Path:
    return await ensure_program(
        name, version, machine.paths, machine.environment, clock=HastyClock(), progress=machine.told, arch=ARCH
    )


async def test_one_program_takes_its_component_alone(machine: Machine) -> None:
    found = await program(machine, "etcdctl")
    assert found.read_text() == f'#!/bin/sh\necho "Program v{ETCD.version}"\n'
    assert machine.go.built == [one.package for one in ETCD.programs]


@pytest.mark.parametrize(
    ("asked", "told"), [("", "1.35.4"), ("1.34", "1.34.4"), ("v1.34.4", "1.34.4"), ("1", "1.35.4")]
)
async def test_a_program_is_of_the_newest_version_or_of_the_one_that_begins_so(
    machine: Machine, asked: str, told: str
) -> None:
    for version in KUBERNETES_VERSIONS:
        install(machine.root / "mine" / version, version, *KUBERNETES.names)
    machine.environment["HOMEOSTAT_BINARIES_DIR"] = str(machine.root / "mine")
    assert await program(machine, "kubectl", asked) == machine.root / "mine" / told / "kubectl"


async def test_an_unknown_program_is_an_error_with_the_known_ones(machine: Machine) -> None:
    with pytest.raises(Unknown, match=r"kubctl: expected one of coredns, etcd, .*, kubectl, kubelet, local-path-pro"):
        await program(machine, "kubctl")
    assert machine.cached() == []


@pytest.mark.parametrize("version", ["1.3", "1.35.3", "latest", "1.35.4.1"])
async def test_an_unknown_version_is_an_error_with_the_known_ones(machine: Machine, version: str) -> None:
    with pytest.raises(Unknown, match=rf"kubectl: expected version 1\.34\.4 or 1\.35\.4, .*, found '{version}'"):
        await program(machine, "kubectl", version)


async def test_a_version_without_an_engine_names_the_ones_there_are(machine: Machine) -> None:
    with pytest.raises(BinariesError, match=r"engine kubernetes/1\.2: .* found .*kubernetes/1\.35"):
        await ensure(
            machine.paths,
            machine.environment,
            versions=("1.2.3",),
            clock=HastyClock(),
            progress=machine.told,
            arch=ARCH,
        )


async def test_a_program_that_was_not_asked_for_is_an_error_with_the_known_versions(machine: Machine) -> None:
    found = await machine.ensure()
    with pytest.raises(BinariesError, match=r"kubelet: expected version 1.2.3, found 1.35.4"):
        found.path("kubelet", "1.2.3")
