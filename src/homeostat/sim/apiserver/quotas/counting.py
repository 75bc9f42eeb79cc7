"""Which counter counts which type, and how much of a quota some objects take together."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from homeostat.sim.apiserver.quotas.amounts import ZERO, Amounts, only, plus
from homeostat.sim.apiserver.quotas.claims import CLAIMS, ClaimCounter
from homeostat.sim.apiserver.quotas.counter import Counter
from homeostat.sim.apiserver.quotas.pods import PODS, PodCounter
from homeostat.sim.apiserver.quotas.services import SERVICES, ServiceCounter
from homeostat.sim.apiserver.store.store import Collection
from homeostat.sim.apiserver.types.type import Value

# What no quota counts: Events never were, and the others are not kept.
_IGNORED = (("", "events"), ("events.k8s.io", "events"), ("", "bindings"), ("", "componentstatuses"))
_REVIEWS = ("authentication.k8s.io", "authorization.k8s.io")
_COUNTERS: dict[Collection, Counter] = {PODS: PodCounter(), SERVICES: ServiceCounter(), CLAIMS: ClaimCounter()}


def counter_of(collection: Collection) -> Counter | None:
    """Who counts the objects of a type; None for what no quota counts."""
    if collection in _IGNORED or collection[0] in _REVIEWS:
        return None
    return _COUNTERS.get(collection) or Counter(collection)


def is_meant(spec: Value, counter: Counter, value: Value) -> bool:
    """Whether an object is within all scopes of a quota."""
    scopes = ({"scopeName": each, "operator": "Exists"} for each in spec.get("scopes") or ())
    selected = (spec.get("scopeSelector") or {}).get("matchExpressions") or ()
    return all(counter.is_within(each, value) for each in (*scopes, *selected))


def usage(spec: Value, counter: Counter, values: Iterable[Value], now: datetime) -> Amounts:
    """How much of what a quota limits the objects of one type take together."""
    names = counter.tracked(spec.get("hard") or ())
    found: Amounts = dict.fromkeys(names, ZERO)
    for each in values:
        if is_meant(spec, counter, each):
            found = plus(found, only(counter.used(each, now), names))
    return found
