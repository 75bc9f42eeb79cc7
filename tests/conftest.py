"""Which tests run here, in which order, and what the end of the output says about the rest.

Order: repo, unit, contract, sim, real, so that the cheapest news comes first. `soak` runs by `-m soak` only. Tests
marked `real` run wherever the machine allows; elsewhere they are left out and the summary says how many and why. With
HOMEOSTAT_REAL=require nothing is left out: what cannot run fails.

With `-n 2 --dist loadfile --no-loadscope-reorder` two processes share the tests by files, each in this order.
"""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from tests.support.real import left_out_because

ROOT = Path(__file__).parent.parent
ORDER = ("repo", "unit", "contract", "sim", "real")
LEFT_OUT = "left out"

_left_out: pytest.StashKey[tuple[int, tuple[str, ...]]] = pytest.StashKey()


def part_of(path: Path) -> str:
    """The directory under tests/ that a test module belongs to."""
    return path.relative_to(ROOT / "tests").parts[0]


def pytest_configure() -> None:
    """Refuse a misspelt HOMEOSTAT_REAL rather than guess what it meant."""
    wanted = os.environ.get("HOMEOSTAT_REAL", "")
    if wanted not in ("", "require"):
        raise pytest.UsageError(f"HOMEOSTAT_REAL: expected it unset or 'require', found {wanted!r}")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Order the tests; deselect soak unless asked for, and real where this machine cannot run it."""
    items.sort(key=lambda item: ORDER.index(part_of(item.path)))
    dropped = []
    if "soak" not in config.option.markexpr:
        dropped = [item for item in items if item.get_closest_marker("soak")]
    real = [item for item in items if item.get_closest_marker("real") and item not in dropped]
    if real and os.environ.get("HOMEOSTAT_REAL") != "require":
        reasons = left_out_because()
        if reasons:
            config.stash[_left_out] = (len(real), reasons)
            dropped += real
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        gone = set(dropped)
        items[:] = [item for item in items if item not in gone]


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Tell the process that sums up, where there are several."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[LEFT_OUT] = session.config.stash.get(_left_out, (0, ()))


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Hear what one of several processes left out: each has seen all tests."""
    number, reasons = getattr(node, "workeroutput", {}).get(LEFT_OUT, (0, ()))
    if number:
        node.config.stash[_left_out] = (number, tuple(reasons))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say how long each part took, and what was left out and why."""
    seconds: dict[str, float] = defaultdict(float)
    counts: dict[str, int] = defaultdict(int)
    for outcome, reports in terminalreporter.stats.items():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                part = report.nodeid.split("/")[1]
                seconds[part] += report.duration
                counts[part] += report.when == "call" and outcome in ("passed", "failed")
    for part in ORDER:
        if counts[part]:
            terminalreporter.write_line(f"{part}: {counts[part]} tests, {seconds[part]:.1f} s")
    number, reasons = config.stash.get(_left_out, (0, ()))
    if number:
        terminalreporter.section("left out")
        terminalreporter.write_line(f"{number} tests with real parts did not run, because:")
        for reason in reasons:
            terminalreporter.write_line(f"- {reason}")
