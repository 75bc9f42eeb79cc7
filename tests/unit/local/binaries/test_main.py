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
from homeostat.local.binaries.components import OFFERED_VERSIONS, architecture, wanted
from homeostat.local.binaries.store import RELEASE, Store

MINE = ("HOMEOSTAT_BINARIES_DIR", "HOMEOSTAT_MIRROR")


def run(tmp_path: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if name not in MINE}
    return subprocess.run(
        [sys.executable, "-m", "homeostat.local.binaries", *arguments],
        env={**inherited, "XDG_CACHE_HOME": str(tmp_path / "cache"), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_places_are_printed_one_a_line(tmp_path: Path) -> None:
    components = wanted(OFFERED_VERSIONS, architecture())
    for component in components:
        install(tmp_path / component.label, component.version, *component.names)
    done = run(tmp_path, HOMEOSTAT_BINARIES_DIR=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert [line.split("\t")[3] for line in done.stdout.splitlines()] == [str(tmp_path / c.label) for c in components]


def fill_cache(root: Path) -> None:
    """All components, as if their releases had been downloaded."""
    store = Store(root / "homeostat" / "binaries")
    store.work.mkdir(parents=True)
    for component in wanted(OFFERED_VERSIONS, architecture()):
        install(store.work, component.version, *component.names)
        for name in component.names:
            store.put(component, RELEASE, name, store.work / name, "test")


@pytest.mark.parametrize(("arguments", "version"), [((), "1.35.4"), (("--version", "1.34"), "1.34.4")])
def test_a_name_prints_one_path_and_no_more(tmp_path: Path, arguments: tuple[str, ...], version: str) -> None:
    fill_cache(tmp_path / "cache")
    done = run(tmp_path, "kubectl", *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{tmp_path}/cache/homeostat/binaries/kubernetes-{version}/release/kubectl\n"


def test_with_a_filled_cache_no_http_client_is_loaded_and_no_process_started(tmp_path: Path) -> None:
    fill_cache(tmp_path / "cache")
    watch = (
        "import sys; sys.addaudithook(lambda event, _: print(event) if event in ('subprocess.Popen', 'os.fork') else 0)"
        "; from homeostat.local.binaries.__main__ import main; code = main([]); "
        "print(sorted({'aiohttp', 'click', 'tarfile'} & set(sys.modules))); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", watch],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        check=True,
    )
    *lines, loaded = done.stdout.splitlines()
    assert loaded == "[]"
    assert all(line.split("\t")[2] == "release" for line in lines)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("kubctl",), "error: kubctl: expected one of coredns, etcd, "),
        (
            ("etcd", "--version", "9"),
            "error: etcd: expected version 3.5.35 or 3.6.16, or the beginning of one, found '9'",
        ),
        (("--version", "1.35"), "error: --version: expected the name of a program before it"),
        (("kubectl", "kubelet"), "error: unrecognized arguments: kubelet"),
    ],
)
def test_a_senseless_command_line_says_what_is_known(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str
) -> None:
    try:
        code = command.main(arguments)
    except SystemExit as leaving:
        code = int(str(leaving.code))
    said = capsys.readouterr()
    assert (code, said.out) == (2, "")
    assert message in said.err


def test_help_names_sources_and_variables(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as leaving:
        command.main(["--help"])
    assert leaving.value.code == 0
    said = capsys.readouterr().out
    assert all(word in said for word in ("--version", "HOMEOSTAT_BINARIES_DIR", "HOMEOSTAT_MIRROR", "XDG_CACHE_HOME"))


def test_what_goes_wrong_is_one_message(tmp_path: Path) -> None:
    done = run(tmp_path, HOMEOSTAT_BINARIES_DIR=str(tmp_path / "nowhere"))
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("error: HOMEOSTAT_BINARIES_DIR: expected a directory")
    assert "Traceback" not in done.stderr


def test_a_mirror_that_is_no_address_is_told_even_when_nothing_has_to_be_fetched(tmp_path: Path) -> None:
    for component in wanted(OFFERED_VERSIONS, architecture()):
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
