"""One real data centre for all tests of this directory; see tests/support/datacentre.py.

A test that fails tells what the cell looked like at that moment: the data centre is gone before anybody could look.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Generator, Iterator

import pytest
from tests.support.datacentre import Centre

LOOKS = (
    ("get", "clusters", "--all-namespaces", "-o", "jsonpath={range .items[*]}{.metadata.name} {.status}{'\\n'}{end}"),
    ("get", "pods", "--all-namespaces", "-o", "wide"),
    ("get", "events", "--all-namespaces", "--sort-by=.lastTimestamp"),
    ("logs", "-n", "homeostat-system", "-l", "app.kubernetes.io/name=homeostat", "--prefix", "--tail=60"),
)
MOST = 6000  # characters of each, the last ones


@pytest.fixture(scope="session")
def centre() -> Iterator[Centre]:
    """A data centre that is up. A test that hurts it heals it."""
    kept = os.environ.get("HOMEOSTAT_REAL_NAME", "")
    real = Centre(kept or f"t{os.getpid()}")
    try:
        real.homeostat("up")
        yield real
    finally:
        if not kept:
            real.homeostat("down")


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Print a figure past pytest's capture."""

    def tell(line: str) -> None:
        with capsys.disabled():
            print(f"\nmeasured: {line}")  # noqa: T201  (figures for the docs)

    return tell


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add what kubectl says of the cell to the report of a test that failed."""
    report = yield
    found = getattr(item, "funcargs", {}).values()
    seen = next((value for value in found if isinstance(value, Centre)), None)
    if report.failed and seen is not None:
        report.sections += [(f"kubectl {' '.join(look[:3])}", told(seen, look)) for look in LOOKS]
    return report


def told(centre: Centre, look: tuple[str, ...]) -> str:
    """The end of what one command says; a cell that does not answer says why."""
    try:
        return centre.kubectl(*look, check=False)[-MOST:]
    except (OSError, AssertionError, subprocess.SubprocessError) as error:
        return str(error)
