"""Who counts the objects of one type: under which names, how much each of them takes, and who is asked when."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from homeostat.sim.apiserver.quotas.amounts import ONE, Amounts
from homeostat.sim.apiserver.store.store import Collection
from homeostat.sim.apiserver.types.type import Value

_ALIASES: dict[Collection, str] = {
    ("", name): name for name in ("configmaps", "replicationcontrollers", "resourcequotas", "secrets")
}


class Counter:
    """Counts objects of any type, whatever they are: one each. Types that take more than a number inherit it."""

    weighs_updates = False
    """Whether a change of an object may take more than before."""

    def __init__(self, collection: Collection) -> None:
        group, plural = collection
        self.count = f"count/{plural}.{group}" if group else f"count/{plural}"
        self._alias = _ALIASES.get(collection, "")

    def tracks(self, name: str) -> bool:
        """Whether objects count under a name."""
        return name in (self.count, self._alias)

    def tracked(self, names: Iterable[str]) -> list[str]:
        """Those of some names under which objects count."""
        return [each for each in names if self.tracks(each)]

    def lack(self, names: Iterable[str], value: Value) -> str:  # noqa: ARG002
        """What an object must say and does not when a quota limits these names; empty if it says all."""
        return ""

    def is_within(self, requirement: Value, value: Value) -> bool:  # noqa: ARG002
        """Whether an object is within a scope, as a quota asks for it. No object is but of a type that has scopes."""
        return False

    def used(self, value: Value, now: datetime) -> Amounts:  # noqa: ARG002
        """What an object takes."""
        return {name: ONE for name in (self.count, self._alias) if name}
