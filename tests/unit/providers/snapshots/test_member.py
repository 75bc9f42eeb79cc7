"""Exchanging a member's data: what was there is kept, a cut is mended by the next run, and nothing is done twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from homeostat.providers.snapshots import member
from homeostat.providers.snapshots.member import MemberNotRestored, place

NAME = "1-20260304T050607Z-r42"


def write(volume: Path, directory: str, text: str) -> None:
    (volume / directory / "member").mkdir(parents=True)
    (volume / directory / "member" / "db").write_text(text)


def read(volume: Path, directory: str = "data") -> str:
    return (volume / directory / "member" / "db").read_text()


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    """A volume in which etcdutl has just put the snapshot's data."""
    write(tmp_path, "restored", "new")
    return tmp_path


def test_an_empty_volume_gets_the_data(volume: Path) -> None:
    place(volume, NAME, may_move_aside=False)
    assert read(volume) == "new"
    assert not (volume / "restored").exists()


def test_a_new_cluster_never_begins_on_data_that_is_there(volume: Path) -> None:
    write(volume, "data", "old")
    with pytest.raises(MemberNotRestored, match="is there already, and a new cluster must begin without data"):
        place(volume, NAME, may_move_aside=False)
    assert read(volume) == "old"


def test_data_that_was_there_is_moved_aside_under_the_name_of_the_restore(volume: Path) -> None:
    write(volume, "data", "old")
    place(volume, NAME, may_move_aside=True)
    assert (read(volume), read(volume, f"data.before-{NAME}")) == ("new", "old")


def test_a_second_restore_keeps_the_data_of_both_lives(volume: Path) -> None:
    write(volume, "data", "old")
    place(volume, NAME, may_move_aside=True)
    write(volume, "restored", "newer")
    place(volume, "2-20260304T050607Z-r42", may_move_aside=True)
    before = read(volume, "data.before-2-20260304T050607Z-r42")
    assert (read(volume), before, read(volume, f"data.before-{NAME}")) == ("newer", "new", "old")


def test_a_pod_that_runs_again_when_all_is_placed_changes_nothing(volume: Path) -> None:
    place(volume, NAME, may_move_aside=False)
    (volume / "data" / "member" / "db").write_text("new, and written since")
    write(volume, "restored", "new")
    place(volume, NAME, may_move_aside=False)
    assert read(volume) == "new, and written since"
    assert not (volume / "restored").exists()


def test_data_that_somebody_put_back_by_hand_is_not_overwritten(volume: Path) -> None:
    write(volume, "data", "put back")
    write(volume, f"data.before-{NAME}", "old")
    with pytest.raises(MemberNotRestored, match="somebody has put"):
        place(volume, NAME, may_move_aside=True)
    assert read(volume) == "put back"


def test_without_restored_data_nothing_is_touched(tmp_path: Path) -> None:
    write(tmp_path, "data", "old")
    with pytest.raises(MemberNotRestored, match="restored is not there"):
        place(tmp_path, NAME, may_move_aside=True)
    assert read(tmp_path) == "old"


class Killed(BaseException):
    """The Pod dies here."""


@pytest.mark.parametrize("may_move_aside", [True, False])
@pytest.mark.parametrize("step", range(8))
def test_a_run_that_is_killed_at_any_step_is_ended_by_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int, *, may_move_aside: bool
) -> None:
    write(tmp_path, "restored", "new")
    if may_move_aside:
        write(tmp_path, "data", "old")
    left = step

    def dying(directory: Path) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise Killed

    # Every change of a name is made durable by this, right after it.
    monkeypatch.setattr(member, "sync_directory", dying)
    try:
        place(tmp_path, NAME, may_move_aside=may_move_aside)
    except Killed:
        if not (tmp_path / "restored").exists():
            write(tmp_path, "restored", "new")  # the next Pod restores again before it places
    monkeypatch.setattr(member, "sync_directory", lambda _: None)
    if (tmp_path / "restored").exists():
        place(tmp_path, NAME, may_move_aside=may_move_aside)
    assert read(tmp_path) == "new"
    if may_move_aside:
        assert read(tmp_path, f"data.before-{NAME}") == "old"
