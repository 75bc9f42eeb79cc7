"""A data centre's record is written whole, read in any version, and held by one process at a time."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from homeostat.local.state import VERSION, State, StateError, all_states, decode, load, locked, new_token, save

STATE = State(name="shop", index=3, hosts=3, token="abcdef.0123456789abcdef", kubernetes_version="1.35.4")


def test_what_was_saved_is_loaded_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    save(tmp_path / "shop", STATE)
    assert load(tmp_path / "shop") == STATE
    assert (tmp_path / "shop" / "state.json").stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in (tmp_path / "shop").iterdir()) == ["state.json"]


def test_a_directory_without_a_record_has_no_state(tmp_path: Path) -> None:
    assert load(tmp_path) is None


def test_a_newer_version_is_refused_with_what_to_do() -> None:
    newer = msgspec.json.encode({**msgspec.to_builtins(STATE), "version": VERSION + 1})
    with pytest.raises(StateError, match="written by a newer homeostat"):
        decode(newer, "state.json")


@pytest.mark.parametrize("garbage", [b"", b"{", b"[]", b'{"version": 1}', b'{"version": "x"}'])
def test_garbage_is_an_error_that_names_the_file(garbage: bytes) -> None:
    with pytest.raises(StateError, match=r"state\.json"):
        decode(garbage, "state.json")


def test_all_data_centres_of_a_root_are_found_and_broken_ones_left_out(tmp_path: Path) -> None:
    save(tmp_path / "shop", STATE)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "state.json").write_text("{")
    assert all_states(tmp_path) == {"shop": STATE}


def test_two_processes_cannot_work_on_one_data_centre(tmp_path: Path) -> None:
    with (
        locked(tmp_path, "shop", doing="up"),
        pytest.raises(StateError, match=r"`homeostat up` \(process \d+\) works on it"),
        locked(tmp_path, "shop", doing="down"),
    ):
        pass


def test_a_lock_leaves_no_file_and_does_not_hold_another_data_centre(tmp_path: Path) -> None:
    with locked(tmp_path, "shop", doing="up"), locked(tmp_path, "farm", doing="up"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_tokens_have_kubeadms_form_and_differ() -> None:
    first, second = new_token(), new_token()
    assert first != second
    assert re.fullmatch(r"[a-z0-9]{6}\.[a-z0-9]{16}", first)
