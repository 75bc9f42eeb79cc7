"""Steps run as early as they may, at once where they can, and stop with one clear error."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from homeostat.kit.clock import SystemClock
from homeostat.local.steps import Report, Step, StepFailed, in_order, run_steps


class Watcher:
    """Remembers what it was shown."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []

    def started(self, name: str) -> None:
        self.seen.append(("started", name))

    def progress(self, name: str, text: str) -> None:
        self.seen.append((text, name))

    def finished(self, name: str, took_s: float) -> None:
        assert took_s >= 0
        self.seen.append(("finished", name))

    def failed(self, name: str, took_s: float, why: str) -> None:
        self.seen.append((why, name))


def doing(note: Callable[[], None]) -> Callable[[Report], Awaitable[None]]:
    async def run(report: Report) -> None:
        report.update("working")
        note()

    return run


def nothing(name: str, *needs: str) -> Step:
    return Step(name, doing(lambda: None), needs)


async def test_a_step_runs_after_all_that_it_needs() -> None:
    order: list[str] = []
    steps = [
        Step(name, doing(lambda name=name: order.append(name)), needs)  # type: ignore[misc]
        for name, needs in (("roof", ("walls",)), ("walls", ("ground",)), ("ground", ()))
    ]
    timings = await run_steps(steps, clock=SystemClock(), view=Watcher())
    assert order == ["ground", "walls", "roof"]
    assert [timing.name for timing in timings] == order


async def test_steps_that_do_not_need_each_other_run_at_once() -> None:
    both = asyncio.Barrier(2)

    async def meet(_report: Report) -> None:
        await both.wait()

    await run_steps([Step("a", meet), Step("b", meet)], clock=SystemClock(), view=Watcher())
    assert both.n_waiting == 0


async def test_a_failure_names_step_cause_log_and_remedy_and_stops_the_others() -> None:
    stopped = asyncio.Event()

    async def fail(_report: Report) -> None:
        raise OSError("no space left on device")

    async def wait_for_ever(_report: Report) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    steps = [
        Step("images", fail, log="up", remedy="free disk"),
        Step("network", wait_for_ever),
        Step("hosts", wait_for_ever, ("images",)),
    ]
    watcher = Watcher()
    with pytest.raises(StepFailed) as failure:
        await run_steps(steps, clock=SystemClock(), view=watcher)
    assert str(failure.value).splitlines() == [
        "images: no space left on device",
        "  log:    homeostat logs up",
        "  remedy: free disk",
    ]
    assert stopped.is_set()
    assert ("no space left on device", "images") in watcher.seen
    assert ("started", "hosts") not in watcher.seen


def test_rounds_show_what_runs_at_once() -> None:
    steps = [nothing("binaries"), nothing("network"), nothing("hosts", "binaries", "network"), nothing("cell", "hosts")]
    assert in_order(steps) == (("binaries", "network"), ("hosts",), ("cell",))


@pytest.mark.parametrize(
    ("steps", "complaint"),
    [
        ([nothing("a"), nothing("a")], "found twice: a"),
        ([nothing("a", "b")], "needs b, which no step makes"),
        ([nothing("a", "b"), nothing("b", "a")], "a, b wait for each other"),
    ],
)
def test_a_graph_that_cannot_run_is_refused_before_anything_runs(steps: list[Step], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        in_order(steps)
