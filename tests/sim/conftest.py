"""How much is simulated: a stated share of all moments with one seed, or with HOMEOSTAT_SEEDS=N all of them N times."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator

import pytest
import structlog


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Seeds from 0 on."""
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", range(int(os.environ.get("HOMEOSTAT_SEEDS", "1"))))


@pytest.fixture
def is_thorough() -> bool:
    """Whether every moment is to be met."""
    return "HOMEOSTAT_SEEDS" in os.environ


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Thousands of processes have nothing to say in a log."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()
