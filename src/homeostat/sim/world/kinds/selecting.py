"""Objects by their labels, and selectors by the objects that they mean, at the cost of what is found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from homeostat.api.meta import Object
from homeostat.runtime.store import Store
from homeostat.sim.apiserver.selecting.labels import Requirements, selects
from homeostat.sim.world.scheduler.tallies import Scopes
from homeostat.sim.world.scheduler.terms import Scope

T = TypeVar("T", bound=Object)
LABELS = "labels"


def labelled(obj: Object) -> Iterable[str]:
    """An index: the namespace of an object, alone and with each of its labels."""
    meta = obj.metadata
    return [f"{meta.namespace}/", *(f"{meta.namespace}/{key}={value}" for key, value in meta.labels.items())]


def selected(store: Store[T], namespace: str, chosen: Requirements) -> list[T]:
    """The objects of a namespace that a selector means."""
    shelves = [[f"{namespace}/{each.key}={value}" for value in each.values] for each in chosen if each.operator == "in"]
    best = min(shelves, key=lambda names: sum(store.keys_by_index(LABELS, name, 0)[0] for name in names), default=None)
    names = [f"{namespace}/"] if best is None else list(dict.fromkeys(best))
    found = (each for name in names for each in store.by_index(LABELS, name))
    return [each for each in found if selects(chosen, each.metadata.labels)]


class _Named:
    """The key of a selector's owner."""

    def __init__(self, key: str, scope: Scope) -> None:
        self.key = key
        self.scope = scope


class Selectors:
    """Who selects an object: Services, budgets, ... by their keys."""

    def __init__(self) -> None:
        self._scopes: Scopes[_Named] = Scopes({})
        self._of: dict[str, _Named] = {}

    def put(self, key: str, namespace: str, chosen: Requirements | None) -> None:
        """Somebody selects this from now on; None selects nothing."""
        old = self._of.pop(key, None)
        if old is not None:
            self._scopes.remove(old)
        if chosen is not None:
            made = self._of[key] = _Named(key, Scope(chosen, (namespace,)))
            self._scopes.add(made)

    def of(self, namespace: str, labels: Mapping[str, str]) -> list[str]:
        """The keys of those who select an object with these labels."""
        return [each.key for each in self._scopes.about(namespace, labels)]
