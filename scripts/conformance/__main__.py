"""`python -m scripts.conformance`: judge, print, keep the verdicts, and fail when fewer passed than are asked for."""

from __future__ import annotations

import argparse
import asyncio
import sys

from scripts.conformance import page, suite
from scripts.conformance.judging import judged
from scripts.conformance.reasons import left_out
from scripts.conformance.suite import Verdict

FOCUS = r"\[sig-api-machinery\].*\[Conformance\]"
GOAL = 0.95


def main() -> int:
    """The exit code says whether enough passed."""
    parser = argparse.ArgumentParser(description="Judge the simulated engine by Kubernetes' own suite.")
    parser.add_argument("--focus", default=FOCUS)
    parser.add_argument("--goal", type=float, default=GOAL)
    parser.add_argument("--at-once", type=int, default=2)
    parser.add_argument("--within-s", type=float, default=120.0)
    asked = parser.parse_args()
    found = suite.tests(asked.focus)
    tests = [each for each in found if not left_out(each)]
    page.keep((), [each for each in found if left_out(each)])
    verdicts = asyncio.run(judged(tests, at_once=asked.at_once, within_s=asked.within_s, heard=tell))
    passed = sum(not each.failure for each in verdicts)
    print(f"{passed} of {len(verdicts)} passed")
    return 0 if verdicts and passed >= asked.goal * len(verdicts) else 1


def tell(verdict: Verdict) -> None:
    """Print one verdict, and keep it, should the run be ended."""
    word = f"FAILED {verdict.failure.splitlines()[0]}" if verdict.failure else "passed"
    print(f"{verdict.seconds:6.1f} s {verdict.name}: {word}", flush=True)
    page.keep((verdict,))


if __name__ == "__main__":
    sys.exit(main())
