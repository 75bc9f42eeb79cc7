"""Which event loop a test of the operators runs on: the machine's, or a virtual one over a simulated server in memory.

A minute of waiting costs nothing on a virtual loop, and what is ready goes in an order that is the same each time. It
has no way out and no threads, so tests that ask for the API server itself (for kubectl, a command line, a port), or for
files that threads write, run on the machine's loop, whichever engine answers. A conftest takes the hooks from here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

import pytest
from tests.support.engines import SIM

from homeostat.sim.time.loop import VirtualLoop

MOST_STEPS = 200_000  # at one moment: cells here are small, and who spins shall be told of soon
Loops = Mapping[str, Callable[[], asyncio.AbstractEventLoop]]


class _Chosen:
    """For the test that is about to begin: pytest asks for its loop without saying whose it is."""

    is_virtual = False

    @classmethod
    def loop(cls) -> asyncio.AbstractEventLoop:
        return VirtualLoop(seed=0, most_steps=MOST_STEPS) if cls.is_virtual else asyncio.new_event_loop()


def needs_server(fixtures: Sequence[str]) -> bool:
    """Whether a test with these asks for the API server itself, and not for cells on it alone."""
    return "server" in fixtures or "api_server" in fixtures


def _needs_threads(fixtures: Sequence[str]) -> bool:
    """Whether snapshots are encrypted and written, for which two threads wait for each other."""
    return "means" in fixtures


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Choose, before any fixture is made."""
    assert isinstance(item, pytest.Function)
    engine = item.callspec.params.get("engine") if hasattr(item, "callspec") else None
    names = item.fixturenames
    _Chosen.is_virtual = engine == SIM and not needs_server(names) and not _needs_threads(names)


def pytest_asyncio_loop_factories() -> Loops:
    """Of every test, the one that was chosen."""
    return {"chosen": _Chosen.loop}
