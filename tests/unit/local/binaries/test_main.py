"""`python -m homeostat.local.binaries` prints where everything is, or one error."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.clock import ManualClock
from tests.support.programs import install

from homeostat.local.binaries import __main__ as command
from homeostat.local.binaries.components import KUBERNETES_VERSIONS, architecture, wanted


def run(tmp_path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "homeostat.local.binaries"],
        env={**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache"), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_places_are_printed_one_a_line(tmp_path: Path) -> None:
    components = wanted(KUBERNETES_VERSIONS, architecture())
    for component in components:
        install(tmp_path / component.label, component.version, *component.names)
    done = run(tmp_path, HOMEOSTAT_BINARIES_DIR=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert [line.split("\t")[3] for line in done.stdout.splitlines()] == [str(tmp_path / c.label) for c in components]


def test_what_goes_wrong_is_one_message(tmp_path: Path) -> None:
    done = run(tmp_path, HOMEOSTAT_BINARIES_DIR=str(tmp_path / "nowhere"))
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("error: HOMEOSTAT_BINARIES_DIR: expected a directory")
    assert "Traceback" not in done.stderr


def test_a_mirror_that_is_no_address_is_told_even_when_nothing_has_to_be_fetched(tmp_path: Path) -> None:
    for component in wanted(KUBERNETES_VERSIONS, architecture()):
        install(tmp_path / component.label, component.version, *component.names)
    done = run(tmp_path, HOMEOSTAT_BINARIES_DIR=str(tmp_path), HOMEOSTAT_MIRROR="http://mirror:port")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        "error: HOMEOSTAT_MIRROR: expected http://HOST/PATH or https://HOST/PATH, found 'http://mirror:port'; "
        "correct it, or unset it to ask the projects' own hosts\n"
    )


def test_a_cache_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where a directory should be")
    done = run(tmp_path)
    assert done.returncode == 1
    assert str(tmp_path / "cache") in done.stderr
    assert "Traceback" not in done.stderr


def test_progress_that_only_counts_is_shown_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    clock = ManualClock()
    lines = command.Lines(clock)
    for second in range(12):
        lines.update(f"building kubelet: {second} s")
        clock.step(1)
    lines.update("building kubectl: 0 s")
    shown = capsys.readouterr().err.splitlines()
    assert shown == ["building kubelet: 0 s", "building kubelet: 10 s", "building kubectl: 0 s"]
