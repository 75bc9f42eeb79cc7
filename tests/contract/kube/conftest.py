"""Clients of the session's real API server, and of a simulated one: what holds for one holds for the other."""

from __future__ import annotations

from tests.support.apiserver import api_server
from tests.support.engines import client
from tests.support.engines import on_both_engines as pytest_generate_tests

__all__ = ["api_server", "client", "pytest_generate_tests"]
