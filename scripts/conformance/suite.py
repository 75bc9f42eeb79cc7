"""The suite as a program: built once from the pinned module in `engines/e2e`, asked for its tests, run for one of them.

Each test is a process of its own, which costs a second: one that hangs takes nobody's time but its own.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import subprocess
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from homeostat.local.paths import Paths

MODULE = Path(__file__).parents[2] / "engines" / "e2e" / "1.34"
VERSION = "1.34.4"
PACKAGE = "k8s.io/kubernetes/test/e2e"
FLAGS = ("-mod=readonly", "-vet=off", "-trimpath", "-gcflags=all=-dwarf=false", "-ldflags=-s -w -buildid=")
SETTINGS = (
    "--num-nodes=1",
    "--allowed-not-ready-nodes=-1",
    "--minStartupPods=0",
    "--kube-api-content-type=application/json",
    "--provider=skeleton",
    "--disable-log-dump",
    "--ginkgo.no-color",
    "--ginkgo.grace-period=5s",
)
_AFTER_TIMEOUT_S = 30.0
_SUITE, _TEST = "Kubernetes e2e suite", "[It] "


class Verdict(Struct, frozen=True):
    """What came of one test: nothing in `failure` when it passed."""

    name: str
    failure: str = ""
    seconds: float = 0.0


def program() -> Path:
    """The suite, built when it is not in the cache."""
    digest = hashlib.sha256(" ".join(FLAGS).encode())
    for file in sorted(MODULE.iterdir()):
        digest.update(file.read_bytes())
    place = Paths.from_environment(os.environ).binaries / f"e2e-{digest.hexdigest()[:12]}" / "e2e.test"
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        partial = place.with_suffix(".partial")
        subprocess.run(["go", "test", "-c", *FLAGS, "-o", str(partial), PACKAGE], cwd=MODULE, check=True)
        partial.replace(place)
    return place


def tests(focus: str) -> list[str]:
    """The names of all tests that a pattern is found in, in the order of the suite."""
    with tempfile.TemporaryDirectory() as name:
        words = ("--ginkgo.dry-run", f"--ginkgo.focus={focus}", f"--report-dir={name}", "--provider=skeleton")
        subprocess.run([program(), *words], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return [each.name for each in _read(Path(name))]


async def judge(test: str, kubeconfig: Path, kubectl: Path, logs: Path, within_s: float) -> Verdict:
    """Run one test, to its end or to that of its time; what it says goes to a file in `logs`."""
    with tempfile.TemporaryDirectory() as name:
        words = (f"--ginkgo.focus={_exactly(test)}", f"--ginkgo.timeout={within_s:.0f}s", f"--report-dir={name}")
        with (logs / f"{hashlib.sha256(test.encode()).hexdigest()[:12]}.log").open("wb") as log:
            log.write(f"{test}\n".encode())
            log.flush()
            process = await asyncio.create_subprocess_exec(
                str(program()),
                *("--ginkgo.v", f"--kubeconfig={kubeconfig}", f"--kubectl-path={kubectl}", *words, *SETTINGS),
                cwd=name,
                stdout=log,
                stderr=log,
            )
            try:
                async with asyncio.timeout(within_s + _AFTER_TIMEOUT_S):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()
                return Verdict(test, "did not end in time", within_s)
        found = list(_read(Path(name)))
    return found[0] if found else Verdict(test, "it ended without a verdict")


def _read(directory: Path) -> Iterator[Verdict]:
    """The verdicts of a report of JUnit's form."""
    try:
        cases = ET.parse(directory / "junit_01.xml").getroot().iter("testcase")
    except (FileNotFoundError, ET.ParseError):  # it ended before it had written all
        return
    for case in cases:
        name = case.get("name", "")
        if case.find("skipped") is None and name.startswith(_TEST):
            yield Verdict(name.removeprefix(_TEST), _failure(case), float(case.get("time", "0")))


def _exactly(test: str) -> str:
    """A pattern, as Go has them, that one test alone fits."""
    escaped = re.sub(r"([^ \w])", r"\\\1", test)
    return f"^{_SUITE} {escaped}$"


def _failure(case: ET.Element) -> str:
    for kind in ("failure", "error"):
        found = case.find(kind)
        if found is not None:
            return (found.get("message") or found.text or "failed").strip()
    return ""
