"""The book of faults that people begin in a world that stands: what is under way, since when, and until when.

A fault leaves the book when it is healed, when its time is over, or when whatever it had done is undone otherwise: a
kubelet that was stopped runs again after a boot, and nobody is told of a fault that is none any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from difflib import get_close_matches
from itertools import count
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from homeostat.sim.world.faults.fault import A_YEAR_S, FaultError, Value
from homeostat.sim.world.faults.injecting import Injection, Intent, intend
from homeostat.sim.world.hosts.datacentre import DataCentre


class Entry(Struct, frozen=True):
    """A fault in the book."""

    id: str  # empty: it has only been tried, or it was over as soon as it had happened
    fault: str
    on: str  # as it was said
    targets: tuple[str, ...]  # the hosts that it was, or the image
    parameters: Mapping[str, Value]
    since: datetime
    until: datetime | None = None  # None: until it is healed


class Book:
    """All faults of one data centre that were begun here. Use it while the data centre runs."""

    def __init__(self, centre: DataCentre) -> None:
        self.centre = centre
        self._kept: dict[str, tuple[Entry, Injection]] = {}
        self._timers: dict[str, asyncio.Task[None]] = {}
        self._numbers = count(1)

    def entries(self) -> tuple[Entry, ...]:
        """What is under way, the oldest first."""
        self._forget_what_is_over()
        return tuple(entry for entry, _ in self._kept.values())

    def check(self, fault: str, on: str, parameters: Mapping[str, Any], for_s: float | None = None) -> Entry:
        """What `begin` would begin. Raises FaultError as it would."""
        return self._entry(self._intend(fault, on, parameters, for_s), for_s)

    def begin(self, fault: str, on: str, parameters: Mapping[str, Any], for_s: float | None = None) -> Entry:
        """Let a fault happen, for so long or until it is healed. Raises FaultError, and nothing has happened then."""
        intent = self._intend(fault, on, parameters, for_s)
        entry = self._entry(intent, for_s)
        injection = intent.begin()
        if not intent.fault.lasts:
            return entry
        entry = replace(entry, id=f"{fault}-{next(self._numbers)}")
        self._kept[entry.id] = entry, injection
        if for_s is not None:
            self._timers[entry.id] = self.centre.spawn(self._end_after(entry.id, for_s), f"end of {entry.id}")
        return entry

    def named(self, *ids: str) -> tuple[Entry, ...]:
        """What is under way by these names, in their order; all of it where none is given. Raises FaultError."""
        known = {entry.id: entry for entry in self.entries()}
        for name in ids:
            if name not in known:
                near = get_close_matches(name, known, n=1)
                meant = f"; did you mean {near[0]}?" if near else ""
                there_is = ", ".join(known) or "none"
                raise FaultError(f"expected a fault that is under way ({there_is}), found {name!r}{meant}", field="id")
        return tuple(known[name] for name in dict.fromkeys(ids)) if ids else tuple(known.values())

    def end(self, *ids: str) -> tuple[Entry, ...]:
        """Heal them, or all; which those were. Raises FaultError, and none is healed then."""
        found = self.named(*ids)
        for entry in found:
            self._end(entry.id)
        return found

    def _intend(self, fault: str, on: str, parameters: Mapping[str, Any], for_s: float | None) -> Intent:
        intent = intend(self, fault, on, parameters)
        if for_s is None:
            return intent
        if not intent.fault.lasts:
            raise FaultError(f"{fault}: expected no duration, as it is over when it has happened", field="for")
        if not 0 < for_s <= A_YEAR_S:
            raise FaultError(f"{fault}: expected more than 0 s and at most a year, found {for_s:g} s", field="for")
        return intent

    def _entry(self, intent: Intent, for_s: float | None) -> Entry:
        now = self.centre.clock.now()
        until = None if for_s is None else now + timedelta(seconds=for_s)
        return Entry("", intent.fault.name, intent.on, intent.targets, intent.parameters, now, until)

    async def _end_after(self, name: str, seconds: float) -> None:
        await self.centre.clock.sleep(seconds)
        self._timers.pop(name, None)
        self._end(name)

    def _end(self, name: str) -> None:
        _, injection = self._kept.pop(name)
        injection.undo()
        self._stop_timer(name)

    def _forget_what_is_over(self) -> None:
        for name in [name for name, (_, injection) in self._kept.items() if not injection.lasts]:
            del self._kept[name]
            self._stop_timer(name)

    def _stop_timer(self, name: str) -> None:
        timer = self._timers.pop(name, None)
        if timer is not None:
            timer.cancel()
