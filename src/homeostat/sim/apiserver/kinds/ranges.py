"""LimitRanges: how small and how large containers, Pods and claims of a namespace may be, and what they are given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from homeostat.sim.apiserver.kinds.resources import HUGE_PAGES, container_name_causes, is_native, name_causes
from homeostat.sim.apiserver.refusing import Cause
from homeostat.sim.apiserver.schemas.causes import at_index, at_key, child, duplicate, forbidden, invalid, required
from homeostat.sim.apiserver.schemas.labels import label_name_faults
from homeostat.sim.apiserver.schemas.quantities import amount
from homeostat.sim.apiserver.types.type import Strategy, Value

CONTAINER, POD, CLAIM = "Container", "Pod", "PersistentVolumeClaim"
_NO_TYPE = "must be a standard limit type or fully qualified"
_NOT_OF_POD = "may not be specified when `type` is 'Pod'"
_NO_STORAGE = "either minimum or maximum storage value is required, but neither was provided"
_REQUEST = "defaultRequest"
# What must not be above what, by the field that is at fault, that whose value is shown, and their words.
_ORDER = (
    ("min", "max", "min", "min", "min value {} is greater than max value {}"),
    ("min", _REQUEST, _REQUEST, _REQUEST, "min value {} is greater than default request value {}"),
    (_REQUEST, "max", _REQUEST, _REQUEST, "default request value {} is greater than max value {}"),
    (_REQUEST, "default", _REQUEST, _REQUEST, "default request value {} is greater than default limit value {}"),
    ("min", "default", "default", "min", "min value {} is greater than default value {}"),
    ("default", "max", "default", "max", "default value {} is greater than max value {}"),
)


class RangeStrategy(Strategy):
    """Admission reads it; nobody writes to it."""

    def default(self, value: Value) -> None:
        """What containers are given: the largest as the limit, and as the request the limit, or the smallest."""
        for limit in (value.get("spec") or {}).get("limits") or ():
            if limit.get("type") == CONTAINER:
                limits = {**(limit.get("max") or {}), **(limit.get("default") or {})}
                requests = {**(limit.get("min") or {}), **limits, **(limit.get("defaultRequest") or {})}
                for name, given in (("default", limits), ("defaultRequest", requests)):
                    if given:
                        limit[name] = given

    def causes(self, value: Value, old: Value | None) -> Iterable[Cause]:  # noqa: ARG002
        """Of each of its limits."""
        seen: list[str] = []
        for index, limit in enumerate((value.get("spec") or {}).get("limits") or ()):
            place, type_ = at_index("spec.limits", index), limit.get("type", "")
            yield from _of_type(type_, child(place, "type"))
            if type_ in seen:
                yield duplicate(child(place, "type"), type_)
            seen.append(type_)
            yield from _of_names(limit, type_, place)
            names = dict.fromkeys(name for part in _parts(type_) for name in limit.get(part) or ())
            for name in names:
                yield from _of_resource(limit, name, place)


def _parts(type_: str) -> tuple[str, ...]:
    defaults = () if type_ == POD else ("default", "defaultRequest")
    return ("max", "min", *defaults, "maxLimitRequestRatio")


def _of_type(type_: str, path: str) -> Iterator[Cause]:
    yield from (invalid(path, type_, fault) for fault in label_name_faults(type_))
    if "/" not in type_ and type_ not in (CONTAINER, POD, CLAIM):
        yield invalid(path, type_, _NO_TYPE)


def _of_names(limit: Value, type_: str, place: str) -> Iterator[Cause]:
    judge = container_name_causes if type_ in (CONTAINER, POD) else name_causes
    for part in _parts(type_):
        for name in limit.get(part) or ():
            yield from judge(name, at_key(child(place, part), name))
    if type_ == POD:
        for part in ("default", "defaultRequest"):
            if limit.get(part):
                yield forbidden(child(place, part), _NOT_OF_POD)
    if type_ == CLAIM and not any("storage" in (limit.get(part) or {}) for part in ("min", "max")):
        yield required(child(place, "limits"), _NO_STORAGE)


def _of_resource(limit: Value, name: str, place: str) -> Iterator[Cause]:
    def given(part: str) -> str:
        return str((limit.get(part) or {}).get(name, ""))

    for low, high, part, shown, says in _ORDER:
        if limit.get("type") == POD and "default" in f"{low}{high}":
            continue
        below, above = amount(given(low)), amount(given(high))
        if below is not None and above is not None and below > above:
            yield invalid(at_key(child(place, part), name), given(shown), says.format(given(low), given(high)))
    ratio, least, largest = amount(given("maxLimitRequestRatio")), amount(given("min")), amount(given("max"))
    path = at_key(child(place, "maxLimitRequestRatio"), name)
    if ratio is not None:
        yield from _of_ratio(given("maxLimitRequestRatio"), ratio, least, largest, path)
    if not _may_overcommit(name) and given("default") and given("defaultRequest"):
        limited, requested = given("default"), given("defaultRequest")
        if amount(limited) != amount(requested):
            text = f"default value {limited} must equal to defaultRequest value {requested} in {name}"
            yield invalid(at_key(child(place, "defaultRequest"), name), requested, text)


def _of_ratio(shown: str, ratio: Decimal, least: Decimal | None, largest: Decimal | None, path: str) -> Iterator[Cause]:
    if ratio < 1:
        yield invalid(path, shown, f"ratio {shown} is less than 1")
    if least and largest is not None and ratio > largest / least:
        yield invalid(path, shown, f"ratio {shown} is greater than max/min = {largest / least:.6f}")


def _may_overcommit(name: str) -> bool:
    return is_native(name) and not name.startswith(HUGE_PAGES)
