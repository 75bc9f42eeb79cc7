"""Habits of the source code that a linter does not know."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.tree import dotted, sources, text_of, tracked

CODE = ("src", "tests", "benchmarks", "scripts")
CLOCK = Path("src/homeostat/kit/clock.py")
RANDOM = Path("src/homeostat/kit/random.py")
# The one place that waits for what only real time can bring.
EVENTUALLY = Path("tests/support/datacentre.py")
MAX_FILE_LINES = 500
MAX_FUNCTION_LINES = 60

# What reads the machine's time or draws chance. The value says what to take instead.
IMPURE_CALLS = {
    "datetime.now": "clock.now()",
    "datetime.utcnow": "clock.now()",
    "datetime.today": "clock.now()",
    "datetime.datetime.now": "clock.now()",
    "date.today": "clock.now()",
    "asyncio.sleep": "clock.sleep()",
    "asyncio.timeout": "clock.timeout()",
    "asyncio.timeout_at": "clock.timeout()",
    "asyncio.wait_for": "clock.timeout()",
    "uuid.uuid1": "a name made from kit.Random",
    "uuid.uuid4": "a name made from kit.Random",
    "os.urandom": "secrets, for keys; kit.Random otherwise",
}
IMPURE_MODULES = {"time": "kit.clock.Clock", "random": "kit.random.Random"}


def impurities(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                for alias in names:
                    if alias.name in IMPURE_MODULES:
                        yield f"{node.lineno}: imports {alias.name}; take a {IMPURE_MODULES[alias.name]} as an argument"
            case ast.ImportFrom(module=module, level=0) if module in IMPURE_MODULES:
                yield f"{node.lineno}: imports from {module}; take a {IMPURE_MODULES[module]} as an argument"
            case ast.Attribute() if dotted(node) in IMPURE_CALLS:
                yield f"{node.lineno}: {dotted(node)}; take {IMPURE_CALLS[dotted(node)]}"


def test_time_and_chance_come_from_kit_only() -> None:
    found = [
        f"{path}:{what}" for path, tree in sources("src") if path not in (CLOCK, RANDOM) for what in impurities(tree)
    ]
    assert found == []


def test_the_check_for_time_and_chance_sees_each_kind_of_offence() -> None:
    offending = "import time\nfrom random import choice\ntask = asyncio.sleep(1)\nhere = datetime.now()\n"
    lines = sorted(int(what.split(":")[0]) for what in impurities(ast.parse(offending)))
    assert lines == [1, 2, 3, 4]


def test_no_test_sleeps_but_where_the_real_world_is_awaited() -> None:
    found = []
    for path, tree in sources("tests"):
        if path == EVENTUALLY:
            continue
        for node in ast.walk(tree):
            sleeps = isinstance(node, ast.Call) and dotted(node.func) in ("time.sleep", "asyncio.sleep")
            yields = sleeps and isinstance(node, ast.Call) and [ast.dump(a) for a in node.args] == ["Constant(value=0)"]
            if sleeps and not yields:
                found.append(f"{path}:{getattr(node, 'lineno', 0)}")
    assert found == []


@pytest.mark.parametrize(
    ("pattern", "instead"),
    [
        (r"#\s*type:\s*ignore(?!\[)", "name the error code: type: ignore[code]"),
        (r"#\s*noqa(?!:\s*[A-Z])", "name the rule: noqa: RULE  (reason)"),
        (r"#\s*(ruff|flake8):\s*noqa", "no whole-file exceptions"),
        (r"#\s*mypy:\s*(ignore-errors|disable-error-code)", "no whole-file exceptions"),
        (r"\b(TODO|FIXME|XXX)\b", "do it, or file an issue"),
        (r"pytest\.(skip|xfail|importorskip|mark\.skip|mark\.skipif|mark\.xfail)\b", "tests run or fail; see conftest"),
    ],
)
def test_nothing_is_waved_through(pattern: str, instead: str) -> None:
    here = Path("tests/repo/test_sources.py")
    found = [
        f"{path}:{number}: {line.strip()}: {instead}"
        for path, _ in sources(*CODE)
        if path != here
        for number, line in enumerate(text_of(path).splitlines(), 1)
        if re.search(pattern, line)
    ]
    assert found == []


def test_no_exception_is_swallowed() -> None:
    found = [
        f"{path}:{node.lineno}: use contextlib.suppress and say why, or handle it"
        for path, tree in sources(*CODE)
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler) and all(isinstance(step, ast.Pass) for step in node.body)
    ]
    assert found == []


def test_files_and_functions_stay_small() -> None:
    found = []
    for path, tree in sources(*CODE):
        lines = text_of(path).count("\n")
        if lines > MAX_FILE_LINES:
            found.append(f"{path}: {lines} lines; split it by idea")
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > MAX_FUNCTION_LINES:
                    found.append(f"{path}:{node.lineno}: {node.name} has {length} lines; split it by idea")
    assert found == []


def test_every_module_says_what_it_is_for() -> None:
    assert [str(path) for path, tree in sources(*CODE) if not ast.get_docstring(tree)] == []


def test_no_package_is_a_drawer() -> None:
    drawers = {"utils", "util", "helpers", "helper", "common", "misc"}
    assert [str(path) for path in tracked() if drawers & {part.removesuffix(".py") for part in path.parts}] == []


def test_no_file_names_a_machine_or_a_package_registry() -> None:
    # Joined here, so that this file does not name them either.
    halves = (
        "/work|/main",
        "/root/.py|env",
        "/root/.ca|che",
        "pypi|.org",
        "python|hosted.org",
        "golang|.org/",
        "deb.debian|.org",
    )
    forbidden = [half.replace("|", "") for half in halves]
    found = [
        f"{path}: {word}"
        for path in tracked()
        if path.name not in ("go.sum", "go.mod")
        for word in forbidden
        if word in text_of(path)
    ]
    assert found == []
