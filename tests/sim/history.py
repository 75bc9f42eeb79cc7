"""Prints the digest of everything that was said in one scenario: for a test that starts it twice."""

from __future__ import annotations

import logging
import sys

import structlog
from tests.support.killing.course import take
from tests.support.killing.scenarios import SCENARIOS

if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    scenario = next(each for each in SCENARIOS if each.name == sys.argv[1])
    sys.stdout.write(take(scenario, seed=int(sys.argv[2])).digest)
