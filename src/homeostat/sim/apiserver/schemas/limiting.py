"""What a schema asks of a value by itself: its type, its length, its range. With the messages of kube-openapi."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from homeostat.sim.apiserver.refusing import Cause
from homeostat.sim.apiserver.schemas import causes, formats, patterns
from homeostat.sim.apiserver.schemas.causes import go_json, go_number, quoted
from homeostat.sim.apiserver.schemas.schema import Schema

WHOLE = 2**53 - 1
"""The largest number up to which a float without a fraction counts as an integer."""


class Fault(Struct, frozen=True, eq=False):
    """Something wrong at a path within the value. `told` makes a cause of it, given the path within the object."""

    path: str
    message: str
    told: Callable[[str], Cause]


def type_faults(value: Any, schema: Schema, path: str) -> list[Fault]:
    """Faults of the type: null, another type, or a format on something that is no text."""
    types = ["integer", "string"] if schema.int_or_string else [schema.type] if schema.type else []
    wanted = ",".join(types)
    if value is None:
        return [_type_fault(path, wanted, "null")] if types and not schema.nullable else []
    found, found_format = _type_of(value)
    whole = isinstance(value, float) and value.is_integer() and abs(value) <= WHOLE and "integer" in types
    fits = found in types or whole or (found == "integer" and "number" in types)
    if schema.limits.format:
        if isinstance(value, (str, list)):
            if "number" not in types and "integer" not in types:
                return []
        elif not fits:
            return [_type_fault(path, schema.limits.format, found_format)]
    return [] if fits else [_type_fault(path, wanted, found)]


def enum_faults(value: Any, schema: Schema, path: str) -> list[Fault]:
    """Faults of a value that is none of the listed ones."""
    allowed = schema.limits.enum
    if not allowed or any(_is_same(value, each) for each in allowed):
        return []
    message = f"{path} in body should be one of [{' '.join(_shown(each) for each in allowed)}]"
    return [Fault(path, message, lambda place: causes.not_supported(place, value, allowed))]


def text_faults(value: str, schema: Schema, path: str) -> list[Fault]:
    """The first fault of a text: too long, too short, or of another pattern."""
    limits = schema.limits
    if limits.max_length is not None and len(value) > (longest := limits.max_length):
        message = f"{path} in body should be at most {longest} chars long"
        return [Fault(path, message, lambda place: causes.too_long(place, longest))]
    if limits.min_length is not None and len(value) < limits.min_length:
        return [_invalid(path, value, f"{path} in body should be at least {limits.min_length} chars long")]
    if limits.pattern and not patterns.compiled(limits.pattern).search(value):
        return [_invalid(path, value, f"{path} in body should match '{limits.pattern}'")]
    return []


def format_faults(value: str, schema: Schema, path: str) -> list[Fault]:
    """Faults of a text that has not the format."""
    if formats.matches(schema.limits.format, value):
        return []
    return [_type_fault(path, schema.limits.format, value)]


def number_faults(value: float, schema: Schema, path: str) -> list[Fault]:
    """Faults of the range, in the order in which they are told."""
    limits, faults = schema.limits, []
    if limits.multiple_of is not None:
        faults += _multiple_faults(value, limits.multiple_of, path)
    if limits.minimum is not None:
        least, strict = _like(limits.minimum, value), limits.exclusive_minimum
        if value < least or (strict and value == least):
            told = "greater than" if strict else "greater than or equal to"
            faults.append(_invalid(path, value, f"{path} in body should be {told} {go_number(least)}"))
    if limits.maximum is not None:
        most, strict = _like(limits.maximum, value), limits.exclusive_maximum
        if value > most or (strict and value == most):
            told = "less than" if strict else "less than or equal to"
            faults.append(_invalid(path, value, f"{path} in body should be {told} {go_number(most)}"))
    return faults


def count_faults(value: list[Any], schema: Schema, path: str) -> list[Fault]:
    """Faults of the number of items."""
    limits, faults = schema.limits, []
    if limits.min_items is not None and len(value) < limits.min_items:
        faults.append(_invalid(path, len(value), f"{path} in body should have at least {limits.min_items} items"))
    if limits.max_items is not None and len(value) > (most := limits.max_items):
        message = f"{path} in body should have at most {most} items"
        faults.append(Fault(path, message, lambda place: causes.too_many(place, len(value), most)))
    return faults


def size_faults(value: dict[str, Any], schema: Schema, path: str) -> list[Fault]:
    """Faults of the number of fields."""
    limits, faults = schema.limits, []
    if limits.min_properties is not None and len(value) < limits.min_properties:
        told = f"{path} in body should have at least {limits.min_properties} properties"
        faults.append(_invalid(path, len(value), told))
    if limits.max_properties is not None and len(value) > (most := limits.max_properties):
        message = f"{path} in body should have at most {most} properties"
        faults.append(Fault(path, message, lambda place: causes.too_many(place, len(value), most)))
    return faults


def missing_field(path: str, name: str) -> Fault:
    """A required field that is not there."""
    return Fault(f"{path}.{name}", f"{path}.{name} in body is required", causes.required)


def forbidden_field(path: str, name: str) -> Fault:
    """A field that a schema without further fields does not have."""
    return _invalid(path, name, f"{path}.{name} in body is a forbidden property")


def _multiple_faults(value: float, factor: float, path: str) -> list[Fault]:
    step = _like(factor, value)
    if step <= 0:
        return [_invalid(path, value, f"factor MultipleOf declared for {path} must be positive: {go_number(step)}")]
    if isinstance(value, int):
        fits = value % step == 0
    else:
        times = 1 / step * value if step < 1 else value / step
        fits = abs(times) <= WHOLE and (times == int(times) or abs(times - round(times)) < 1e-9 * abs(times))
    return [] if fits else [_invalid(path, value, f"{path} in body should be a multiple of {go_number(step)}")]


def _like(limit: float, value: float) -> float:
    """A limit is compared as what the value is: cut to an integer for one."""
    return int(limit) if isinstance(value, int) else float(limit)


def _type_of(value: Any) -> tuple[str, str]:
    if isinstance(value, bool):
        return "boolean", ""
    if isinstance(value, str):
        return "string", ""
    if isinstance(value, int):
        return "integer", "int64"
    if isinstance(value, float):
        return "number", "float64"
    return ("array", "") if isinstance(value, list) else ("object", "")


def _is_same(value: Any, allowed: Any) -> bool:
    if isinstance(value, (int, float)) and isinstance(allowed, (int, float)) and not isinstance(value, bool):
        # Compared as what the listed value is, though this cuts a fraction off.
        return not isinstance(allowed, bool) and (int(value) if isinstance(allowed, int) else float(value)) == allowed
    return type(value) is type(allowed) and bool(value == allowed) and value is not None


def _type_fault(path: str, wanted: str, found: str) -> Fault:
    message = f"{path} in body must be of type {wanted}: {quoted(found)}"
    return Fault(path, message, lambda place: causes.type_invalid(place, found, message))


def _invalid(path: str, value: Any, message: str) -> Fault:
    return Fault(path, message, lambda place: causes.invalid(place, value, message))


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else go_json(value)
