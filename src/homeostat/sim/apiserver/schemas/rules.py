"""The rules of a schema (`x-kubernetes-validations`): whether they may be rules, and whether an object keeps them."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from hashlib import blake2b
from typing import Any

import msgspec
from msgspec import Struct

from homeostat.sim.apiserver.refusing import Cause, not_imitated
from homeostat.sim.apiserver.schemas import causes, field_paths
from homeostat.sim.apiserver.schemas.causes import NOTHING, at_index, at_key, child
from homeostat.sim.apiserver.schemas.compiling import BadExpression
from homeostat.sim.apiserver.schemas.correlating import ABSENT, field_before, is_unchanged, items_before
from homeostat.sim.apiserver.schemas.expressions import Expression, FailedEvaluation
from homeostat.sim.apiserver.schemas.internals import rule_of
from homeostat.sim.apiserver.schemas.rule_values import escaped, in_order_of, kind_of, seen
from homeostat.sim.apiserver.schemas.schema import Rule, Schema

_FORMATS = frozenset({"byte", "date", "datetime", "duration"})
"""Values of these are no texts to rules of Kubernetes."""
_MOST_SOUND = 20_000  # values that are remembered of one schema
_encode = msgspec.json.Encoder().encode
MESSAGE_MOST = 5 * 1024
"""Bytes that a message expression may give (celconfig.MaxEvaluatedMessageExpressionSizeBytes)."""


class Place(Struct, frozen=True):
    """A node of an object: where it is, what it was before, and whether what surrounds it is as it was."""

    path: str
    before: Any
    is_object: bool = False
    is_kept: bool = False


def has_rules(schema: Schema) -> bool:
    """Whether there are rules anywhere in a schema. It is asked with every write, so it is found out once."""
    if schema.is_ruled is None:
        parts = (*schema.properties.values(), schema.items, schema.rest)
        schema.is_ruled = bool(schema.rules) or any(has_rules(part) for part in parts if part)
    return schema.is_ruled


def definition_causes(schema: Schema, path: str, *, within: str = "") -> Iterator[Cause]:
    """Why rules may not be. `within` is the path of the list whose items cannot be told apart, if there is one."""
    for name, part in schema.properties.items():
        yield from definition_causes(part, at_key(child(path, "properties"), name), within=within)
    if schema.rest:
        yield from definition_causes(schema.rest, child(path, "additionalProperties"), within=within)
    if schema.items:
        uncorrelated = within or ("" if schema.list_type == "map" else path)
        yield from definition_causes(schema.items, child(path, "items"), within=uncorrelated)
    for index, rule in enumerate(schema.rules):
        yield from _rule_causes(rule, schema, at_index(child(path, "x-kubernetes-validations"), index), within)


def _rule_causes(rule: Rule, schema: Schema, path: str, within: str) -> Iterator[Cause]:
    place = child(path, "rule")
    if schema.limits.format.replace("-", "") in _FORMATS:
        raise not_imitated(f"rules about values of the format {schema.limits.format}")
    try:
        expression = _expression(rule, schema)
    except BadExpression as error:
        yield causes.invalid(place, rule_of(rule), f"compilation failed: {error}")
        return
    if expression.kind not in ("BOOL", "DYN"):
        yield causes.invalid(place, rule_of(rule), "cel expression must evaluate to a bool")
        return
    if rule.message_expression.strip() and (fault := _message_fault(rule, schema)):
        yield causes.invalid(child(path, "messageExpression"), rule_of(rule), fault)
    if expression.uses_before and within:
        said = f"oldSelf cannot be used on the uncorrelatable portion of the schema within {within}"
        yield causes.invalid(place, rule.rule, said)
    if not expression.uses_before and rule.optional_old_self is not None:
        said = "may not be set if oldSelf is not used in rule"
        yield causes.invalid(child(path, "optionalOldSelf"), rule.optional_old_self, said)


def _message_fault(rule: Rule, schema: Schema) -> str:
    try:
        kind = _message(rule, schema).kind
    except BadExpression as error:
        return f"messageExpression compilation failed: {error}"
    return "" if kind in ("STRING", "DYN") else "messageExpression must evaluate to a string"


def broken_rules(value: Any, schema: Schema, place: Place) -> Iterator[Cause]:
    """A cause for each rule that a value, or a part of it, does not keep. Null keeps all."""
    if value is None:
        return
    if schema.rules:
        yield from _broken_here(value, schema, place)
    if isinstance(value, dict):
        for name, part in value.items():
            named = schema.properties.get(name)
            if (found := named or schema.rest) and has_rules(found):
                path = child(place.path, name) if named else at_key(place.path, name)
                before = field_before(place.before, name, schema)
                yield from broken_rules(part, found, _inner(place, path, before, value, schema))
    elif isinstance(value, list) and schema.items and has_rules(schema.items):
        for index, (item, before) in enumerate(zip(value, items_before(place.before, value, schema), strict=True)):
            inner = _inner(place, at_index(place.path, index), before, value, schema)
            yield from broken_rules(item, schema.items, inner)


def _inner(place: Place, path: str, before: Any, value: Any, schema: Schema) -> Place:
    """A part that cannot be told apart is kept where the nearest whole that can be is."""
    return Place(path, before, is_kept=before is ABSENT and _is_as_before(value, schema, place))


def _broken_here(value: Any, schema: Schema, place: Place) -> Iterator[Cause]:
    """What has kept a rule once keeps it again: most writes leave most parts as they were."""
    rules = [rule for rule in schema.rules if rule.rule.strip()]
    view = _view(value, schema, place, rules)
    alone, both = _digest(view.now, b"alone"), _digest([view.now, view.before], b"both")
    known = {rule: both if _expression(rule, schema).uses_before else alone for rule in rules}
    to_judge = [rule for rule in rules if known[rule] not in schema.sound]
    if not to_judge:
        return
    found = list(_judged(value, schema, place, view, to_judge))
    if not found:
        if len(schema.sound) >= _MOST_SOUND:
            schema.sound.clear()
        schema.sound.add(both)
        if not _is_as_before(value, schema, place):  # else one that does not look back may have been let pass
            schema.sound.add(alone)
    yield from found


class _View(Struct, frozen=True):
    """What rules see of a value, and of what it was before, which is null where there was none."""

    now: Any
    before: Any


def _view(value: Any, schema: Schema, place: Place, rules: list[Rule]) -> _View:
    """No more than the rules name: of an object that is written again and again, they see very little."""
    names = _named(rules, schema)
    now, before = _only(value, names), _only(place.before, names)
    if before is ABSENT or before is None:
        return _View(seen(now, schema, is_object=place.is_object), None)
    before = in_order_of(now, before, schema)
    return _View(*(seen(each, schema, is_object=place.is_object) for each in (now, before)))


def _named(rules: list[Rule], schema: Schema) -> frozenset[str] | None:
    """The fields that rules name, where none of them looks at the whole."""
    expressions = [_expression(rule, schema) for rule in rules]
    expressions += [_message(rule, schema) for rule in rules if rule.message_expression]
    if schema.rest or any(each.names is None for each in expressions):
        return None
    return frozenset().union(*(each.names or () for each in expressions))


def _only(value: Any, names: frozenset[str] | None) -> Any:
    if names is None or not isinstance(value, dict):
        return value
    return {name: part for name, part in value.items() if escaped(name) in names}


def _digest(seen_by_rules: Any, person: bytes) -> bytes:
    return blake2b(_encode(seen_by_rules), digest_size=16, person=person).digest()


def _judged(value: Any, schema: Schema, place: Place, view: _View, rules: list[Rule]) -> Iterator[Cause]:
    now, before = view.now, view.before
    for rule in rules:
        expression = _expression(rule, schema)
        if expression.uses_before and before is None and not rule.optional_old_self:
            continue
        try:
            if expression.value(now, before) is True:
                continue
        except FailedEvaluation as error:
            yield causes.invalid(place.path, schema.type, _failure(str(error), rule))
            continue
        if expression.uses_before or not _is_as_before(value, schema, place):
            yield _broken(rule, schema, value, place, _detail(rule, schema, now, before))


def _is_as_before(value: Any, schema: Schema, place: Place) -> bool:
    return place.is_kept if place.before is ABSENT else is_unchanged(value, place.before, schema)


def _broken(rule: Rule, schema: Schema, value: Any, place: Place, detail: str) -> Cause:
    path = place.path
    if rule.field_path:
        relative, _ = field_paths.normalized(rule.field_path, schema)
        path = child(path, relative)
    shown = NOTHING if schema.type in ("object", "array") else value
    match rule.reason:
        case "FieldValueForbidden":
            return causes.forbidden(path, detail)
        case "FieldValueRequired":
            return causes.required(path, detail)
        case "FieldValueDuplicate":
            return causes.duplicate(path, shown)
        case _:
            return causes.invalid(path, shown, detail)


def _failure(error: str, rule: Rule) -> str:
    told = rule.message.strip() or rule.rule.strip()
    if error.startswith("no such overload"):
        said = "call arguments did not match a supported operator, function or macro signature for rule"
        return f"'{error}': {said}: {told}"
    return f"{error} evaluating rule: {told}"


def _detail(rule: Rule, schema: Schema, now: Any, before: Any) -> str:
    """What is said of a broken rule: what its expression says, if this is a line of text, or its message."""
    if rule.message_expression:
        try:
            said = _message(rule, schema).value(now, before)
        except FailedEvaluation:
            said = None
        text = said.strip() if isinstance(said, str) else ""
        if text and "\n" not in text and len(text.encode()) <= MESSAGE_MOST:
            return text
    return rule.message.strip() if rule.message else f"failed rule: {rule.rule.strip()}"


def _expression(rule: Rule, schema: Schema) -> Expression:
    return _made(rule.rule, kind_of(schema), bool(rule.optional_old_self))


def _message(rule: Rule, schema: Schema) -> Expression:
    return _made(rule.message_expression, kind_of(schema), bool(rule.optional_old_self))


@functools.lru_cache(maxsize=4096)
def _made(text: str, kind: str, optional: bool) -> Expression:
    return Expression(text, kind, optional=optional)
