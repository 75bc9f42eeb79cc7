"""Prints digests of all that was said in courses of one scenario, by what disturbed them: for tests that start it.

python -m tests.sim.history SCENARIO SEED [POINT | KIND@WRITE ...]
"""

from __future__ import annotations

import logging
import sys

import msgspec
import structlog
from tests.support.killing.branching import killed, troubled
from tests.support.killing.course import Scenario, take
from tests.support.killing.faults import Fault
from tests.support.killing.scenarios import SCENARIOS
from tests.support.killing.splitting import may_split


def digests(scenario: Scenario, seed: int, disturbances: list[str]) -> dict[str, str]:
    """Without any disturbance under the empty word. Those that are told are taken by copies of this process."""
    assert may_split()
    points = {int(each): each for each in disturbances if each.isdigit()}
    faults = {_fault(each): each for each in disturbances if not each.isdigit()}
    ends = [
        *((points[at], end) for at, end in (killed(scenario, seed, points).items() if points else ())),
        *((faults[at], end) for at, end in (troubled(scenario, seed, faults).items() if faults else ())),
    ]
    found = {"": take(scenario, seed=seed).digest}
    for word, end in ends:
        assert end.result is not None, end.why
        found[word] = end.result.digest
    return found


def _fault(word: str) -> Fault:
    kind, _, at = word.partition("@")
    return msgspec.convert({"kind": kind, "at": int(at)}, Fault)


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    _, name, number, *words = sys.argv
    chosen = next(each for each in SCENARIOS if each.name == name)
    sys.stdout.write(msgspec.json.encode(digests(chosen, int(number), words)).decode())
