"""One real data centre for all tests of this directory; see tests/support/datacentre.py."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from tests.support.datacentre import Centre


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
