"""Requirements are pinned by hash, name no download address, and hold what pyproject.toml asks for."""

from __future__ import annotations

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from tests.support.tree import ROOT, tracked

LOCKS = sorted(path for path in tracked() if path.parts[0] == "requirements")


def pins(lock: str) -> dict[str, str]:
    text = (ROOT / "requirements" / lock).read_text()
    return {canonicalize_name(name): version for name, version in re.findall(r"^([\w.-]+)==([^\s;\\]+)", text, re.M)}


def wanted(lock: str) -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = project["dependency-groups"]
    names = list(project["project"]["dependencies"])
    names += groups["dev"] if lock in ("dev.txt", "bench.txt") else []
    names += groups["bench"] if lock == "bench.txt" else []
    return [Requirement(name) for name in names]


@pytest.mark.parametrize("lock", ["run.txt", "dev.txt", "bench.txt"])
def test_a_lock_satisfies_what_the_project_asks_for(lock: str) -> None:
    have = pins(lock)
    stale = [
        str(want) for want in wanted(lock) if not want.specifier.contains(have.get(canonicalize_name(want.name), "0"))
    ]
    assert stale == [], "run `make lock`"


def test_people_run_the_versions_that_were_tested() -> None:
    tested = pins("dev.txt")
    assert {name: version for name, version in pins("run.txt").items() if tested.get(name) != version} == {}


@pytest.mark.parametrize("lock", [path.name for path in LOCKS])
def test_every_pin_has_hashes_and_no_lock_has_an_address(lock: str) -> None:
    text = (ROOT / "requirements" / lock).read_text()
    entries = [entry for entry in re.split(r"\n(?=[A-Za-z0-9])", text) if "==" in entry]
    assert [entry.split("\n")[0] for entry in entries if "--hash=sha256:" not in entry] == []
    assert re.findall(r"\S+://\S+|--(?:extra-)?index-url|--find-links", text) == []


def test_go_modules_are_pinned_by_sums() -> None:
    modules = [path for path in tracked() if path.name == "go.mod"]
    assert modules
    assert [str(path) for path in modules if not (ROOT / path).with_name("go.sum").is_file()] == []


def test_uv_lock_is_not_kept() -> None:
    assert "uv.lock" in (ROOT / ".gitignore").read_text().split()
    assert [path for path in tracked() if path.name == "uv.lock"] == []
