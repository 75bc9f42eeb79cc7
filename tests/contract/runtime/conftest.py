"""Both engines for the runtime's promises, and a namespace per test."""

from __future__ import annotations

from itertools import count

import pytest
from tests.support.apiserver import api_server
from tests.support.engines import client
from tests.support.engines import on_both_engines as pytest_generate_tests

from homeostat.api.core import NAMESPACE
from homeostat.kube.client import Client

__all__ = ["api_server", "client", "pytest_generate_tests"]

_numbers = count()


@pytest.fixture
async def namespace(client: Client) -> str:
    name = f"runtime-{next(_numbers)}"
    await client.create(NAMESPACE, {"metadata": {"name": name}})
    return name
