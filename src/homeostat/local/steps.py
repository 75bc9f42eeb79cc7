"""A directed graph of steps: what must be true before what, and everything else at once.

A step is a name, the names it needs, and a coroutine that makes its piece of the world true. Steps are idempotent and
look at the world, never only at a record of it: to resume after a kill is to run all of them again. The first failure
stops the others, and its error names the step, the cause, the log to read and the remedy.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from msgspec import Struct

from homeostat.kit.clock import Clock


class Report(Protocol):
    """Where a running step tells what it is at."""

    def update(self, text: str) -> None:
        """Replace the short text shown beside the step."""
        ...


class Step(Struct, frozen=True):
    """One piece of the world to make true, after those that it needs."""

    name: str
    run: Callable[[Report], Awaitable[None]]
    needs: tuple[str, ...] = ()
    log: str = ""  # the part of `homeostat logs` that tells more
    remedy: str = ""


class Timing(Struct, frozen=True):
    """When a step began, counted from the start of the whole, and how long it took."""

    name: str
    started_s: float
    took_s: float


class StepFailed(Exception):
    """A step could not make its piece of the world true."""

    def __init__(self, step: Step, cause: BaseException) -> None:
        lines = [f"{step.name}: {describe(cause)}"]
        if step.log:
            lines.append(f"  log:    homeostat logs {step.log}")
        if step.remedy:
            lines.append(f"  remedy: {step.remedy}")
        super().__init__("\n".join(lines))
        self.step = step
        self.cause = cause


class View(Protocol):
    """Shows steps to whoever watches."""

    def started(self, name: str) -> None:
        """A step begins."""
        ...

    def progress(self, name: str, text: str) -> None:
        """A running step tells what it is at."""
        ...

    def finished(self, name: str, took_s: float) -> None:
        """A step is done."""
        ...

    def failed(self, name: str, took_s: float, why: str) -> None:
        """A step failed; the others are being stopped."""
        ...


class _Reporter:
    def __init__(self, view: View, name: str) -> None:
        self._view, self._name = view, name

    def update(self, text: str) -> None:
        self._view.progress(self._name, text)


def describe(error: BaseException) -> str:
    """An error in one line, also one that came as a group of one or has no text."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    if isinstance(error, BaseExceptionGroup):
        return "; ".join(describe(one) for one in error.exceptions)
    return str(error) or type(error).__name__


def check(steps: Sequence[Step]) -> None:
    """Raise ValueError unless names are unique, needs exist and nothing waits for itself."""
    names = [step.name for step in steps]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"steps: expected unique names, found twice: {', '.join(twice)}")
    for step in steps:
        if missing := [need for need in step.needs if need not in names]:
            raise ValueError(f"step {step.name}: needs {', '.join(missing)}, which no step makes")
    open_steps = {step.name: set(step.needs) for step in steps}
    while ready := [name for name, needs in open_steps.items() if not needs & open_steps.keys()]:
        for name in ready:
            del open_steps[name]
    if open_steps:
        raise ValueError(f"steps: {', '.join(sorted(open_steps))} wait for each other")


def in_order(steps: Sequence[Step]) -> tuple[tuple[str, ...], ...]:
    """The names in rounds: everything in one round may run at once after the rounds before it."""
    check(steps)
    rounds: list[tuple[str, ...]] = []
    done: set[str] = set()
    while len(done) < len(steps):
        ready = tuple(step.name for step in steps if step.name not in done and done.issuperset(step.needs))
        rounds.append(ready)
        done.update(ready)
    return tuple(rounds)


async def run_steps(steps: Sequence[Step], *, clock: Clock, view: View) -> tuple[Timing, ...]:
    """Run all steps, each as soon as what it needs is done. Raises StepFailed with the first failure."""
    check(steps)
    began = clock.monotonic()
    done = {step.name: asyncio.Event() for step in steps}
    timings: list[Timing] = []

    async def one(step: Step) -> None:
        for need in step.needs:
            await done[need].wait()
        started = clock.monotonic()
        view.started(step.name)
        try:
            await step.run(_Reporter(view, step.name))
        except Exception as error:
            view.failed(step.name, clock.monotonic() - started, describe(error))
            raise StepFailed(step, error) from error
        took = clock.monotonic() - started
        view.finished(step.name, took)
        timings.append(Timing(step.name, started - began, took))
        done[step.name].set()

    try:
        async with asyncio.TaskGroup() as group:
            for step in steps:
                group.create_task(one(step), name=f"step {step.name}")
    except* StepFailed as failures:
        raise _first(failures) from None
    return tuple(timings)


def _first(group: BaseExceptionGroup[StepFailed]) -> StepFailed:
    leaf = group.exceptions[0]
    while isinstance(leaf, BaseExceptionGroup):
        leaf = leaf.exceptions[0]
    return leaf
