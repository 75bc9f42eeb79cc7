"""Tests with real parts find binaries wherever homeostat itself does, and in a directory of their own before."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support import real
from tests.support.programs import install

from homeostat.local.binaries.components import Component, architecture, etcd, kubernetes
from homeostat.local.binaries.store import Store

NEW, OLD = kubernetes("1.35.4", architecture()), kubernetes("1.34.4", architecture())
ETCD = etcd("3.6.16", architecture())


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for variable in ("HOMEOSTAT_TEST_BINARIES", "HOMEOSTAT_BINARIES_DIR"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache/homeostat/binaries"


def keep(cache: Path, component: Component, origin: str) -> Path:
    store = Store(cache)
    install(store.work, component.version, *component.names)
    for name in component.names:
        store.put(component, origin, name, store.work / name, "test")
    return store.directory(component, origin)


def test_nothing_is_found_where_nothing_is() -> None:
    assert real.find_binary("kubectl") is None
    with pytest.raises(real.RealPartMissing, match=r"kubectl 1\.35: expected it below .*binaries; run `make binaries`"):
        real.require("kubectl", "1.35")


def test_the_cache_has_releases_and_builds(cache: Path) -> None:
    build, release = keep(cache, NEW, "build-0123456789ab-012345"), keep(cache, OLD, "release")
    assert real.find_binary("kubectl") == build / "kubectl"
    assert real.find_binary("kubectl", "v1.34") == release / "kubectl"
    assert real.find_binary("kubectl", "1.3") is None


def test_a_file_of_the_cache_that_was_cut_short_is_not_found(cache: Path) -> None:
    (keep(cache, NEW, "release") / "kubectl").write_bytes(b"")
    assert real.find_binary("kubectl") is None


@pytest.mark.parametrize("variable", ["HOMEOSTAT_TEST_BINARIES", "HOMEOSTAT_BINARIES_DIR"])
@pytest.mark.parametrize("place", ["kubernetes-1.35.4", "kubernetes/v1.35.4", "1.35.4", "kubernetes-1.35", "."])
def test_directories_are_laid_out_as_for_homeostat_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, place: str
) -> None:
    install(tmp_path / "mine" / place, "1.35.4", "kubectl")
    monkeypatch.setenv(variable, str(tmp_path / "mine"))
    assert real.find_binary("kubectl", "1.35") == tmp_path / "mine" / place / "kubectl"
    assert real.find_binary("kubectl", "1.34") is None


def test_the_directory_for_tests_comes_first_and_the_cache_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    keep(cache, ETCD, "release")
    for name, variable in (("tests", "HOMEOSTAT_TEST_BINARIES"), ("users", "HOMEOSTAT_BINARIES_DIR")):
        monkeypatch.setenv(variable, str(tmp_path / name))
        install(tmp_path / name / "1.35.4", "1.35.4", "kubectl")
    install(tmp_path / "users" / "1.35.4", "1.35.4", "kubelet")
    found = [real.require(name).relative_to(tmp_path).parts[0] for name in ("kubectl", "kubelet", "etcd")]
    assert found == ["tests", "users", "cache"]


def test_what_a_directory_has_is_taken_before_newer_ones_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    keep(cache, NEW, "release")
    install(tmp_path / "mine" / "1.34.4", "1.34.4", "kubectl")
    monkeypatch.setenv("HOMEOSTAT_BINARIES_DIR", str(tmp_path / "mine"))
    assert real.require("kubectl") == tmp_path / "mine/1.34.4/kubectl"


def test_a_file_that_does_not_run_here_is_not_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "1.35.4", "kubectl")
    (tmp_path / "kubectl").write_bytes(b"\x7fELF of another machine")
    monkeypatch.setenv("HOMEOSTAT_TEST_BINARIES", str(tmp_path))
    assert real.find_binary("kubectl") is None


def test_a_directory_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOMEOSTAT_TEST_BINARIES", str(tmp_path / "nowhere"))
    assert any(f"{tmp_path}/nowhere" in reason for reason in real.left_out_because())
