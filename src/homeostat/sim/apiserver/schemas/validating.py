"""Judges values by their schema as kube-openapi's validators do, with their messages.

What they do is odd in places and imitated as it is: all validators of a node have their say, though the type is wrong
already; of the alternatives of an `anyOf` that all fail, the one whose validators agreed most often says why, so
agreement is counted; two faults with one message are one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from msgspec import Struct, field

from homeostat.sim.apiserver.refusing import Cause
from homeostat.sim.apiserver.schemas import causes, limiting
from homeostat.sim.apiserver.schemas.causes import quoted
from homeostat.sim.apiserver.schemas.correlating import ABSENT, field_before, is_unchanged, items_before
from homeostat.sim.apiserver.schemas.limiting import Fault
from homeostat.sim.apiserver.schemas.schema import Schema


class Result(Struct):
    """The faults that were found, in order, and how many validators had nothing to say."""

    faults: dict[str, Fault] = field(default_factory=dict)
    agreed: int = 0

    def add(self, faults: Iterable[Fault]) -> None:
        """Add faults that are not known yet."""
        for fault in faults:
            self.faults.setdefault(fault.message, fault)

    def merge(self, other: Result) -> None:
        """Add what another node has found."""
        self.add(other.faults.values())
        self.agreed += other.agreed


def validate(value: Any, schema: Schema, *, before: Any = ABSENT, path: str = "") -> list[Cause]:
    """The causes why a value is not allowed. What is as it was `before` is not refused.

    `path` is where the value is found; the messages do not name it, as those of an API server do not.
    """
    result = _child(value, schema, "", before, counts=False)
    return [_cause(fault, path) for fault in result.faults.values()]


def _cause(fault: Fault, prefix: str) -> Cause:
    place = fault.path.removeprefix(".")
    return fault.told(causes.child(prefix, place) if place else prefix)


def _child(value: Any, schema: Schema, path: str, before: Any, *, counts: bool) -> Result:
    """A field or an item, which is let pass where it is as it was; `counts`: who agrees is to be counted all the same.

    That is asked of alternatives alone, and nearly all that is written is as it was.
    """
    is_kept = before is not ABSENT and is_unchanged(value, before, schema)
    if is_kept and not counts:
        return Result()
    result = _judged(value, schema, path, before, counts=counts)
    return Result(agreed=result.agreed) if is_kept else result


def _judged(value: Any, schema: Schema, path: str, before: Any, *, counts: bool) -> Result:
    result = Result()
    if value is None:
        _add(result, limiting.type_faults(value, schema, path), agrees=True)
        result.add(limiting.enum_faults(value, schema, path))
        return result
    if schema.type or schema.int_or_string or schema.limits.format:
        _add(result, limiting.type_faults(value, schema, path), agrees=True)
        result.agreed += 1
    result.merge(_combined(value, schema, path, before))
    result.agreed += 1
    if isinstance(value, str):
        _add(result, limiting.text_faults(value, schema, path))
        if schema.limits.format:
            _add(result, limiting.format_faults(value, schema, path))
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        result.add(limiting.number_faults(value, schema, path))
        result.agreed += 2
    elif isinstance(value, list):
        result.merge(_items(value, schema, path, before, counts=counts))
        result.agreed += 1
    _add(result, limiting.enum_faults(value, schema, path))
    if isinstance(value, dict):
        result.merge(_fields(value, schema, path, before, counts=counts))
        result.agreed += 1
    result.agreed += 1
    return result


def _add(result: Result, faults: Sequence[Fault], *, agrees: bool = False) -> None:
    """A validator that was asked counts once; that of types counts twice where it agrees."""
    result.add(faults)
    if agrees:
        result.agreed += not faults
    else:
        result.agreed += 1


def _items(value: list[Any], schema: Schema, path: str, before: Any, *, counts: bool) -> Result:
    result = Result(agreed=1)
    if schema.items:
        for index, (item, old) in enumerate(zip(value, items_before(before, value, schema), strict=True)):
            result.merge(_child(item, schema.items, f"{path}[{index}]", old, counts=counts))
    result.add(limiting.count_faults(value, schema, path))
    return result


def _fields(value: dict[str, Any], schema: Schema, path: str, before: Any, *, counts: bool) -> Result:
    result = Result()
    result.add(limiting.size_faults(value, schema, path))
    for name in value:
        if name in schema.properties:
            continue
        if schema.rest:
            known = field_before(before, name, schema)
            result.merge(_child(value[name], schema.rest, f"{path}.{name}", known, counts=counts))
        elif schema.others is False:
            result.add([limiting.forbidden_field(path, name)])
    for name, part in schema.properties.items():
        if name in value:
            place = f"{path}.{name}" if path else name
            # Kind and version are not as they were sent before: both objects are shown in this version.
            known = ABSENT if not path and name in ("kind", "apiVersion") else field_before(before, name, schema)
            result.merge(_child(value[name], part, place, known, counts=counts))
    missing = (name for name in schema.limits.required if name not in value)
    result.add([limiting.missing_field(path, name) for name in missing])
    return result


def _combined(value: Any, schema: Schema, path: str, before: Any) -> Result:
    """What anyOf, oneOf, allOf and not say, in this order."""
    result = Result(agreed=1)
    if not (schema.any_of or schema.one_of or schema.all_of or schema.negated):
        return result

    def judge(part: Schema) -> Result:
        return _judged(value, part, path, before, counts=True)

    if schema.any_of:
        result.merge(_any_of(schema.any_of, path, judge))
    if schema.one_of:
        result.merge(_one_of(schema.one_of, path, judge))
    if schema.all_of:
        result.merge(_all_of(schema.all_of, path, judge))
    if schema.negated and not judge(schema.negated).faults:
        result.add([_composite(f"{quoted(path)} must not validate the schema (not)")])
    return result


def _any_of(parts: Sequence[Schema], path: str, judge: Callable[[Schema], Result]) -> Result:
    best: Result | None = None
    for part in parts:
        found = judge(part)
        if not found.faults:
            return found
        if best is None or found.agreed > best.agreed:
            best = found
    result = Result()
    result.add([_composite(f"{quoted(path)} must validate at least one schema (anyOf)")])
    result.merge(best or Result())
    return result


def _one_of(parts: Sequence[Schema], path: str, judge: Callable[[Schema], Result]) -> Result:
    best: Result | None = None
    matching: list[Result] = []
    for part in parts:
        found = judge(part)
        if not found.faults:
            matching.append(found)
        elif not matching and (best is None or found.agreed > best.agreed):
            best = found
    if len(matching) == 1:
        return matching[0]
    result = Result()
    told = f"Found {len(matching)} valid alternatives" if matching else "Found none valid"
    result.add([_composite(f"{quoted(path)} must validate one and only one schema (oneOf). {told}")])
    if best and not matching:
        result.merge(best)
    return result


def _all_of(parts: Sequence[Schema], path: str, judge: Callable[[Schema], Result]) -> Result:
    result = Result()
    found = [judge(part) for part in parts]
    for each in found:
        result.merge(each)
    agreeing = sum(not each.faults for each in found)
    if agreeing < len(parts):
        told = "" if agreeing else ". None validated"
        result.add([_composite(f"{quoted(path)} must validate all the schemas (allOf){told}")])
    return result


def _composite(message: str) -> Fault:
    """A fault of alternatives names its place in the message alone: the field is that of the whole value."""
    return Fault("", message, lambda place: causes.invalid(place, "", message))
