"""The real API server that judges the simulated one."""

from __future__ import annotations

from tests.support.apiserver import api_server

__all__ = ["api_server"]
