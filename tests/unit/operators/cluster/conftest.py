"""What every test of the cluster operator is held to."""

from __future__ import annotations

import pytest
from tests.support.explained import all_explained

explained = pytest.fixture(autouse=True)(all_explained)
