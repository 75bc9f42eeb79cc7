"""The pipe that every operator is: observe -> decide -> gate -> act -> report -> one status write -> metrics, events.

An operator supplies the rooms; the order, the error handling and the outcomes are the same everywhere. `plan` runs the
pipe up to the decision and changes nothing: what a dry run prints is what would run. An operator whose objects rest
nearly always may supply a `glance`, which comes before the pipe, and in its place while it says so.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable, Sequence
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from msgspec import Struct

from homeostat.api.kind import Kind
from homeostat.kit.clock import Clock
from homeostat.kit.random import Random
from homeostat.kube.client import Client
from homeostat.kube.errors import Conflict, NotFound
from homeostat.runtime.controller import Controller, failed
from homeostat.runtime.events import Note, Recorder, reference
from homeostat.runtime.outcome import DONE, Done, Outcome, Progress, Retry, Stop, combine
from homeostat.runtime.queue import Priority
from homeostat.runtime.seen import Writes
from homeostat.runtime.status import HasStatus, Outdated, whole, write_status
from homeostat.runtime.store import Store
from homeostat.telemetry.metrics import Measure, Metrics

_AGAIN_S = 0.1  # after a status that was not written, once the cache has the newer one


class WaitLike(Protocol):
    """Until when a plan waits, and for what."""

    @property
    def until(self) -> datetime:
        """When to look again."""
        ...

    @property
    def reason(self) -> str:
        """What for."""
        ...


class PlanLike(Protocol):
    """What a decision must offer; each operator has its own frozen struct with its own actions."""

    @property
    def actions(self) -> Sequence[Any]:
        """What to do, in order."""
        ...

    @property
    def wait(self) -> WaitLike | None:
        """Until when, for what."""
        ...

    @property
    def stop(self) -> str | None:
        """Why a person is needed."""
        ...


K = TypeVar("K", bound=Hashable)
O = TypeVar("O")  # noqa: E741  (Observed)
P = TypeVar("P", bound=PlanLike)
A = TypeVar("A")
S = TypeVar("S", bound=Struct)


class Refusal(Struct, frozen=True):
    """The gate says: not now."""

    reason: str
    again_s: float


class Result(Struct, Generic[A], frozen=True):
    """What became of one action; `outcome` is None when it was not tried because an earlier one failed."""

    action: A
    outcome: Outcome | None
    refusal: Refusal | None = None


class Target(Struct, frozen=True):
    """Whose status is written, and which store shows the write; `part` takes the operator's own part of a status."""

    client: Client
    kind: Kind[Any]
    obj: HasStatus
    store: Store[Any] | None = None
    part: Callable[[Any], Any] = whole


class Report(Struct, Generic[S], frozen=True):
    """What the world is told: the whole status, then, once that is written, what is counted and notes for events."""

    status: S | None = None
    notes: tuple[Note, ...] = ()
    measures: tuple[Measure, ...] = ()


class Rooms(ABC, Generic[K, O, P, A, S]):
    """What one operator supplies."""

    async def glance(self, key: K) -> Outcome | None:  # noqa: ARG002  (for those who override)
        """What can be done and said without looking at all of it, where nothing has changed; None: look."""
        return None

    @abstractmethod
    async def observe(self, key: K) -> O | None:
        """Everything that the decision may look at; None when the object is gone and nothing is left to do."""

    @abstractmethod
    def decide(self, observed: O, now: datetime) -> P:
        """Pure: what to do."""

    def gate(self, observed: O, action: A, now: datetime) -> Refusal | None:  # noqa: ARG002  (for those who override)
        """Whether an action may run now; nothing is refused unless the operator says so."""
        return None

    @abstractmethod
    async def act(self, observed: O, action: A) -> Outcome:
        """Do one thing, idempotently. An exception counts as Retry."""

    def echoes(self, outcome: Outcome) -> Iterable[tuple[Store[Any], str]]:  # noqa: ARG002  (for those who override)
        """Which stores will show what an action wrote, from which resourceVersion on: before, the key is not looked at.

        Every version must come to its store: of objects that the store's informer selects.
        """
        return ()

    @abstractmethod
    def report(self, observed: O, plan: P, results: tuple[Result[A], ...], now: datetime) -> Report[S]:
        """Pure: what to say about it."""

    @abstractmethod
    def target(self, observed: O) -> Target | None:
        """Whose status to write; None when there is nobody to write to."""


class Loop(Generic[K, O, P, A, S]):
    """Runs an operator's rooms for one key at a time; give `reconcile` to a Controller."""

    def __init__(
        self,
        rooms: Rooms[K, O, P, A, S],
        *,
        clock: Clock,
        recorder: Recorder | None = None,
        field_manager: str | None = None,
    ) -> None:
        self._rooms = rooms
        self._clock = clock
        self._recorder = recorder
        self._field_manager = field_manager
        self._writes: Writes[K] | None = None
        self._metrics = Metrics()

    def controller(
        self,
        name: str,
        *,
        random: Random,
        workers: int = 4,
        metrics: Metrics | None = None,
        wedged_after_s: float = 900.0,
        rank: Callable[[K, Priority], Priority] | None = None,
    ) -> Controller[K]:
        """The controller that runs this loop and holds a key back until the cache shows the loop's own writes."""
        self._metrics = metrics or self._metrics
        made = Controller(
            name,
            self.reconcile,
            clock=self._clock,
            random=random,
            workers=workers,
            wedged_after_s=wedged_after_s,
            metrics=metrics,
            rank=rank,
        )
        self._writes = made.writes
        return made

    async def plan(self, key: K) -> P | None:
        """What would be done now; changes nothing."""
        observed = await self._rooms.observe(key)
        return None if observed is None else self._rooms.decide(observed, self._clock.now())

    async def reconcile(self, key: K) -> Outcome:
        """Take one key through the pipe."""
        rooms = self._rooms
        glanced = await rooms.glance(key)
        if glanced is not None:
            return glanced
        observed = await rooms.observe(key)
        if observed is None:
            return DONE
        plan = rooms.decide(observed, self._clock.now())
        results = await self._act(key, observed, plan)
        report = rooms.report(observed, plan, results, self._clock.now())
        written = await self._write(key, observed, report)
        return combine((written, waiting(plan, self._clock.now()), *_outcomes(results)))

    async def _act(self, key: K, observed: O, plan: P) -> tuple[Result[A], ...]:
        """Run the actions in order; after an error or a stop the rest is left for the next time."""
        results: list[Result[A]] = []
        blocked = False
        for action in plan.actions:
            if blocked:
                results.append(Result(action, None))
                continue
            refusal = self._rooms.gate(observed, action, self._clock.now())
            if refusal is not None:
                results.append(Result(action, Progress(refusal.again_s, refusal.reason), refusal))
                continue
            try:
                outcome = await self._rooms.act(observed, action)
            except Exception as error:  # an error is an outcome: the status must tell it
                outcome = failed(error)
            else:
                self._note(key, self._rooms.echoes(outcome))
            results.append(Result(action, outcome))
            blocked = isinstance(outcome, Retry | Stop)
        return tuple(results)

    async def _write(self, key: K, observed: O, report: Report[S]) -> Outcome:
        """The one status write; metrics and events only after it is true."""
        target = self._rooms.target(observed)
        if target is None:
            return DONE
        if report.status is not None:
            unwritten = await self._write_status(key, target, report.status)
            if unwritten is not None:
                return unwritten
        for measure in report.measures:
            self._metrics.record(measure)
        if self._recorder is not None:
            for note in report.notes:
                self._recorder.tell(reference(target.kind, target.obj), note)
        return DONE

    async def _write_status(self, key: K, target: Target, status: S) -> Outcome | None:
        """What to do about a status that was not written; None when it is true."""
        try:
            written = await write_status(
                target.client, target.kind, target.obj, status, field_manager=self._field_manager, part=target.part
            )
        except NotFound:
            return DONE  # deleted meanwhile; the watch says so too
        except Outdated as error:  # by the cache as it is the same would be decided again
            self._note(key, _shown(target, error.resource_version))
            return Progress(_AGAIN_S, str(error))
        except Conflict as error:
            return Retry(error)
        if written is not None:
            self._note(key, _shown(target, written.metadata.resource_version))
        return None

    def _note(self, key: K, versions: Iterable[tuple[Store[Any], str]]) -> None:
        if self._writes is not None:
            for store, version in versions:
                self._writes.note(key, store, version)


def waiting(plan: PlanLike, now: datetime) -> Outcome:
    """When a plan wants to be looked at again."""
    if plan.stop is not None:
        return Stop(plan.stop)
    if plan.wait is None:
        return Done()
    return Progress(max((plan.wait.until - now).total_seconds(), 0.01), plan.wait.reason)


def _shown(target: Target, resource_version: str) -> tuple[tuple[Store[Any], str], ...]:
    return ((target.store, resource_version),) if target.store is not None else ()


def _outcomes(results: Sequence[Result[A]]) -> list[Outcome]:
    return [result.outcome for result in results if result.outcome is not None]
