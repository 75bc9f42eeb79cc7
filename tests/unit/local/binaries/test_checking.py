"""What binaries told is remembered, also when several processes remember at once or the disk refuses."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from tests.support.programs import VERSION, install, tree

from homeostat.local.binaries.checking import Memory


@pytest.fixture
def place(tmp_path: Path) -> Path:
    install(tmp_path / "all", VERSION, "kubelet", "kubectl")
    return tmp_path


def remembering(place: Path, name: str) -> Memory:
    memory = Memory(place / "versions.json")
    memory.note(place / "all" / name, VERSION)
    return memory


def test_two_that_save_at_once_do_not_meet_in_one_file(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = remembering(place, "kubelet"), remembering(place, "kubectl")
    replace = Path.replace
    taken: list[Path] = []

    def replace_after_the_other(source: Path, target: Path) -> Path:
        taken.append(source)
        if len(taken) == 1:
            second.save()
        return replace(source, target)

    monkeypatch.setattr(Path, "replace", replace_after_the_other)
    first.save()
    assert len(set(taken)) == 2
    assert Memory(place / "versions.json").recall(place / "all" / "kubelet") == VERSION
    assert tree(place) == ["all/kubectl", "all/kubelet", "versions.json"]


def test_what_another_one_saved_meanwhile_is_kept(place: Path) -> None:
    first, second = remembering(place, "kubelet"), remembering(place, "kubectl")
    first.save()
    second.save()
    found = Memory(place / "versions.json")
    assert [found.recall(place / "all" / name) for name in ("kubelet", "kubectl")] == [VERSION, VERSION]


def test_a_disk_that_refuses_costs_nothing_but_the_memory(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(source: Path, target: Path) -> Path:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(target))

    monkeypatch.setattr(Path, "replace", refuse)
    remembering(place, "kubelet").save()
    assert tree(place) == ["all/kubectl", "all/kubelet"]
    (place / "file").write_text("where a directory should be")
    Memory(place / "file" / "versions.json").save()


def test_a_binary_that_was_replaced_is_known_by_its_new_state_only(place: Path) -> None:
    memory = remembering(place, "kubelet")
    install(place / "all", "1.34.40", "kubelet")
    memory.note(place / "all" / "kubelet", "1.34.40")
    memory.save()
    assert (place / "versions.json").read_text().count("/kubelet") == 1
