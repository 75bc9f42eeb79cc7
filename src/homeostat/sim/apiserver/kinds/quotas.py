"""ResourceQuotas: what a namespace may take, and of which objects of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from homeostat.sim.apiserver.kinds.resources import is_standard_of_quotas, quantity_causes, quota_name_causes
from homeostat.sim.apiserver.refusing import Cause
from homeostat.sim.apiserver.schemas.causes import InOrder, at_key, child, invalid, required
from homeostat.sim.apiserver.types.metadata import IMMUTABLE
from homeostat.sim.apiserver.types.type import Strategy, Value

_COMPUTE = frozenset(
    ("cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory"),
)
_CLAIMS = frozenset(("persistentvolumeclaims", "requests.storage"))
# By the name of a scope, which of the standard resources can be counted within it.
_SCOPES = {
    "BestEffort": frozenset(("pods",)),
    **dict.fromkeys(
        ("CrossNamespacePodAffinity", "NotBestEffort", "NotTerminating", "PriorityClass", "Terminating"),
        _COMPUTE | {"pods"},
    ),
    "VolumeAttributesClass": _CLAIMS,
}
_PRESENT = ("BestEffort", "CrossNamespacePodAffinity", "NotBestEffort", "NotTerminating", "Terminating")
_PAIRS = (("BestEffort", "NotBestEffort"), ("Terminating", "NotTerminating"))
_UNKNOWN, _MISFIT, _CONFLICT = "unsupported scope", "unsupported scope applied to resource", "conflicting scopes"
_MUST_EXIST = (
    "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating,"
    " ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity"
)
_SOME = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
_NONE = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"


class QuotaStrategy(Strategy):
    """A controller writes how much is used; admission adds to it."""

    def on_create(self, value: Value) -> None:
        """Nobody has counted yet, so nothing is limited."""
        value["status"] = {}

    def causes(self, value: Value, old: Value | None) -> Iterable[Cause]:
        """Of what it limits, and of what a controller says of it."""
        spec, status = value.get("spec") or {}, value.get("status") or {}
        yield from _of_amounts(spec, "spec.hard", "hard")
        yield from _of_scopes(spec)
        yield from _of_selector(spec)
        for name in ("hard", "used"):
            yield from _of_amounts(status, f"status.{name}", name)
        if old is not None and set(spec.get("scopes") or ()) != set((old.get("spec") or {}).get("scopes") or ()):
            yield invalid("spec.scopes", spec.get("scopes"), IMMUTABLE)


def _of_amounts(part: Value, path: str, name: str) -> Iterator[Cause]:
    for resource, given in (part.get(name) or {}).items():
        place = at_key(path, resource)
        yield from quota_name_causes(resource, place)
        yield from quantity_causes(resource, given, place)


def _of_scopes(spec: Value) -> Iterator[Cause]:
    scopes = spec.get("scopes") or ()
    for scope in scopes:
        if scope not in _SCOPES:
            yield invalid("spec.scopes", scopes, _UNKNOWN)
        for _ in _misfits(spec, scope):
            yield invalid("spec.scopes", scopes, _MISFIT)
    for pair in _PAIRS:
        if set(scopes) >= set(pair):
            yield invalid("spec.scopes", scopes, _CONFLICT)


def _of_selector(spec: Value) -> Iterator[Cause]:
    selector, place = spec.get("scopeSelector"), "spec.scopeSelector.matchExpressions"
    if selector is None:
        return
    seen: list[str] = []
    for each in selector.get("matchExpressions") or ():
        scope = each.get("scopeName", "")
        if scope not in _SCOPES:
            yield invalid(child(place, "scopeName"), scope, _UNKNOWN)
        for _ in _misfits(spec, scope):
            yield invalid(place, _shown(selector), _MISFIT)
        yield from _of_operator(scope, each.get("operator", ""), each.get("values") or (), place)
        seen.append(scope)
    for pair in _PAIRS:
        if set(seen) >= set(pair):
            yield invalid(place, spec.get("scopes"), _CONFLICT)


def _of_operator(scope: str, operator: str, values: Iterable[str], place: str) -> Iterator[Cause]:
    if scope in _PRESENT and operator != "Exists":
        yield invalid(child(place, "operator"), operator, _MUST_EXIST)
    if operator in ("In", "NotIn"):
        if not values:
            yield required(child(place, "values"), _SOME)
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            yield invalid(child(place, "values"), values, _NONE)
    else:
        yield invalid(child(place, "operator"), operator, "not a valid selector operator")


def _misfits(spec: Value, scope: str) -> list[str]:
    fits = _SCOPES.get(scope)
    if fits is None:
        return []
    return [name for name in sorted(spec.get("hard") or ()) if is_standard_of_quotas(name) and name not in fits]


def _shown(selector: Value) -> InOrder:
    """As Go shows what its types have no other names for."""
    found = [
        InOrder(ScopeName=each.get("scopeName", ""), Operator=each.get("operator", ""), Values=each.get("values"))
        for each in selector.get("matchExpressions") or ()
    ]
    return InOrder(MatchExpressions=found)
