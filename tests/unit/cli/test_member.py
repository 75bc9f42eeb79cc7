"""The steps that the Pods of a restore run, as commands: what they do, and how they say that they cannot."""

from __future__ import annotations

from pathlib import Path

from tests.support.terminal import run

PLACE = ("member", "place", "--restore", "1-20260304T050607Z-r42")


def test_the_restored_data_takes_its_place(tmp_path: Path) -> None:
    (tmp_path / "restored" / "member").mkdir(parents=True)
    done = run(*PLACE, "--data", str(tmp_path), "--old-data", "refuse")
    assert (done.code, done.out, done.err) == (0, "", "")
    assert (tmp_path / "data" / "member").is_dir()


def test_data_that_must_not_be_touched_is_an_error_with_its_place(tmp_path: Path) -> None:
    for name in ("restored", "data"):
        (tmp_path / name).mkdir()
    done = run(*PLACE, "--data", str(tmp_path), "--old-data", "refuse")
    assert done.code == 1
    assert f"{tmp_path}/data is there already, and a new cluster must begin without data" in done.err


def test_an_offer_that_is_not_mounted_is_named(tmp_path: Path) -> None:
    words = ("--offer", str(tmp_path / "offer"), "--to", str(tmp_path / "file"), "--data", str(tmp_path))
    done = run("member", "fetch", *words)
    assert done.code == 1
    assert "offer/url" in done.err
