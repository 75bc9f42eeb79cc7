"""What a write takes of the quotas of its namespace, and which of them it would exceed: as the plugin ResourceQuota.

A quota limits what its status says, which a controller keeps: one that was never counted limits nothing yet. What is
taken is written to that status together with the object itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct

from homeostat.sim.apiserver.quotas.amounts import Amounts, growth, listed, only, plus, read, told
from homeostat.sim.apiserver.quotas.counter import Counter
from homeostat.sim.apiserver.quotas.counting import is_meant
from homeostat.sim.apiserver.types.type import Value


class Charge(Struct, frozen=True):
    """What a quota is to say of its use."""

    quota: str
    used: dict[str, str]


class Exceeded(Exception):
    """A write that a quota does not allow; the text says which, and why."""


def charges(quotas: Iterable[Value], counter: Counter, value: Value, old: Value | None, now: datetime) -> list[Charge]:
    """What a new object, or a change of one, takes of some quotas. Raises Exceeded."""
    meant = [each for each in quotas if _limits(each, counter, value)]
    if not meant:
        return []
    taken = counter.used(value, now)
    below = sorted(name for name, each in taken.items() if each.value < 0)
    if below:
        raise Exceeded(f"quota usage is negative for resource(s): {','.join(below)}")
    more = growth(taken, {} if old is None else counter.used(old, now))
    return [found for each in meant if (found := _charge(each, more)) is not None]


def _limits(quota: Value, counter: Counter, value: Value) -> bool:
    """Whether a quota means an object. Raises Exceeded when it cannot be told how much is left."""
    name, status = quota["metadata"]["name"], quota.get("status") or {}
    tracked = counter.tracked(status.get("hard") or ())
    if not tracked or not is_meant(quota.get("spec") or {}, counter, value):
        return False
    lack = counter.lack(tracked, value)
    if lack:
        raise Exceeded(f"failed quota: {name}: {lack}")
    used = status.get("used") or {}
    if any(each not in used for each in tracked):
        raise Exceeded(f"status unknown for quota: {name}, resources: {','.join(sorted(tracked))}")
    return True


def _charge(quota: Value, more: Amounts) -> Charge | None:
    hard, used = read(quota["status"]["hard"]), read(quota["status"]["used"])
    wanted = only(more, hard)
    if not wanted:
        return None
    total = plus(used, wanted)
    above = [name for name in wanted if total[name].value > hard[name].value]
    if above:
        parts = (("requested", wanted), ("used", used), ("limited", hard))
        says = ", ".join(f"{word}: {listed(only(each, above))}" for word, each in parts)
        raise Exceeded(f"exceeded quota: {quota['metadata']['name']}, {says}")
    return Charge(quota["metadata"]["name"], told(total))
