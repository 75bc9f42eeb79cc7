"""Leases: who leads, and until when. Coordinated election of leaders is off, as it is by default."""

from __future__ import annotations

from collections.abc import Iterable

from homeostat.sim.apiserver.kinds.names import NEGATIVE
from homeostat.sim.apiserver.refusing import Cause
from homeostat.sim.apiserver.schemas.causes import invalid
from homeostat.sim.apiserver.types.type import Strategy, Value

_COORDINATED = ("strategy", "preferredHolder")


class LeaseStrategy(Strategy):
    """Nobody takes a Lease that he has not read."""

    needs_version = True

    def on_create(self, value: Value) -> None:
        """Without what only coordinated elections have."""
        for name in _COORDINATED:
            (value.get("spec") or {}).pop(name, None)

    def on_update(self, value: Value, old: Value) -> None:  # noqa: ARG002
        """The same."""
        self.on_create(value)

    def causes(self, value: Value, old: Value | None) -> Iterable[Cause]:  # noqa: ARG002
        """Of its numbers."""
        spec = value.get("spec", {})
        lasts_s, moves = spec.get("leaseDurationSeconds"), spec.get("leaseTransitions")
        if lasts_s is not None and lasts_s <= 0:
            yield invalid("spec.leaseDurationSeconds", lasts_s, "must be greater than 0")
        if moves is not None and moves < 0:
            yield invalid("spec.leaseTransitions", moves, NEGATIVE)
