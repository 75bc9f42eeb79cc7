"""A directory of the user's is searched by a documented layout, and its programs are asked for their versions."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.programs import ARCH, VERSION, HastyClock, install

from homeostat.local.binaries import directory
from homeostat.local.binaries.checking import Memory
from homeostat.local.binaries.components import Component, etcd, kubernetes
from homeostat.local.binaries.errors import BinariesError, Incomplete, WrongVersion

KUBERNETES = kubernetes(VERSION, ARCH)


async def found(root: Path, component: Component = KUBERNETES, memory: Memory | None = None) -> Path | None:
    return await directory.find(component, root, memory or Memory(), HastyClock())


@pytest.mark.parametrize(
    "place",
    [
        "kubernetes-1.35.4",
        "kubernetes/v1.35.4",
        "1.35.4",
        "v1.35.4",
        "kubernetes-1.35",
        "kubernetes/1.35",
        "kubernetes",
        ".",
    ],
)
async def test_each_documented_place_is_found(tmp_path: Path, place: str) -> None:
    install(tmp_path / place, VERSION, *KUBERNETES.names)
    assert await found(tmp_path) == tmp_path / place


async def test_a_directory_without_the_component_leaves_it_to_others(tmp_path: Path) -> None:
    install(tmp_path, "3.6.16", "etcd", "etcdctl", "etcdutl")
    assert await found(tmp_path) is None
    assert await found(tmp_path, etcd("3.6.16", ARCH)) == tmp_path


async def test_a_place_that_names_no_version_may_have_another_one(tmp_path: Path) -> None:
    install(tmp_path, "1.34.4", *KUBERNETES.names)
    install(tmp_path / "1.35.4", VERSION, *KUBERNETES.names)
    assert await found(tmp_path, kubernetes("1.34.4", ARCH)) == tmp_path
    assert await found(tmp_path, kubernetes("1.33.0", ARCH)) is None


async def test_a_place_that_names_a_version_must_have_it(tmp_path: Path) -> None:
    install(tmp_path / "1.35.4", "1.34.4", *KUBERNETES.names)
    with pytest.raises(WrongVersion, match=r"kube-apiserver: expected version 1\.35\.4, it tells 1\.34\.4; replace it"):
        await found(tmp_path)


async def test_one_program_of_another_version_is_noticed(tmp_path: Path) -> None:
    install(tmp_path, VERSION, *KUBERNETES.names)
    install(tmp_path, "1.34.4", "kubeadm")
    with pytest.raises(WrongVersion, match=r"kubeadm: expected version"):
        await found(tmp_path)


async def test_a_part_of_a_component_is_an_error_that_names_the_rest(tmp_path: Path) -> None:
    install(tmp_path / "1.35.4", VERSION, "kubelet", "kubectl", "kube-proxy")
    (tmp_path / "1.35.4" / "kubectl").chmod(0o644)
    with pytest.raises(Incomplete, match=r"kube-apiserver, .*, kubeadm, kubectl is missing or not executable"):
        await found(tmp_path)


async def test_a_file_that_does_not_run_here_is_an_error(tmp_path: Path) -> None:
    install(tmp_path / "1.35.4", VERSION, *KUBERNETES.names)
    (tmp_path / "1.35.4" / "kubelet").write_bytes(b"\x7fELF of another machine")
    with pytest.raises(WrongVersion, match=r"kubelet: expected a program that tells its version .* does not run here"):
        await found(tmp_path)


async def test_a_directory_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BinariesError, match=r"HOMEOSTAT_BINARIES_DIR: expected a directory, found none at .*nowhere"):
        await found(tmp_path / "nowhere")


async def test_programs_are_asked_again_only_when_they_change(tmp_path: Path) -> None:
    install(tmp_path / "all", VERSION, *KUBERNETES.names)
    memory = Memory(tmp_path / "versions.json")
    await found(tmp_path / "all", memory=memory)
    memory.save()
    again = Memory(tmp_path / "versions.json")
    assert again.recall(tmp_path / "all" / "kubelet") == VERSION
    install(tmp_path / "all", "1.34.40", "kubelet")
    assert again.recall(tmp_path / "all" / "kubelet") == ""


def test_a_memory_that_was_cut_short_is_forgotten(tmp_path: Path) -> None:
    (tmp_path / "versions.json").write_text('{"a": ')
    install(tmp_path, VERSION, "kubelet")
    assert Memory(tmp_path / "versions.json").recall(tmp_path / "kubelet") == ""
