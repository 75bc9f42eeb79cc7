"""Strategic merge patch: a merge patch in which lists of named things are merged by name, and which can say more.

How a list merges is part of the type (`patch_strategy`, `patch_key`). A patch may also hold directives: `$patch`
replaces or deletes what it stands in, `$retainKeys` drops the fields that it does not name, `$deleteFromPrimitiveList`
takes scalars out of a list, and `$setElementOrder` says in which order a list stands in the end (`ordering`).
"""

from __future__ import annotations

from typing import Any

from homeostat.sim.apiserver.fields.checking import go_text
from homeostat.sim.apiserver.fields.forms import ABSENT, same
from homeostat.sim.apiserver.patches import ordering
from homeostat.sim.apiserver.patches.merge import as_object, without_nulls
from homeostat.sim.apiserver.patches.ordering import failure, key_of
from homeostat.sim.apiserver.refusing import bad_request
from homeostat.sim.apiserver.schemas.shape import UNTYPED, Shape

PATCH = "$patch"
RETAIN = "$retainKeys"
DELETE = "$deleteFromPrimitiveList"
ORDER = "$setElementOrder"

Object = dict[str, Any]


def strategically_merged(live: Object, patch: Any, shape: Shape) -> Object:
    """The object after the patch. Raises Refused."""
    return _merged(live, {} if patch is None else as_object(patch), shape)


def _merged(live: Object, patch: Object, shape: Shape) -> Object:
    if PATCH in patch:
        return _directed(patch)
    made = _retained(live, patch)
    ordered = _ordered_lists(made, patch, shape)
    for key, value in patch.items():
        if key in ordered or key == RETAIN or key.startswith(ORDER):
            continue
        if key.startswith(DELETE):
            _delete_scalars(made, _target(key, "invalid patch format of primitive list"), value)
        else:
            _set(made, key, _field(made.get(key, ABSENT), value, shape.at(key)))
    return made


def _directed(patch: Object) -> Object:
    directive = patch[PATCH]
    if directive == "replace":
        return {name: each for name, each in patch.items() if name != PATCH}
    if directive == "delete":
        return {}
    raise failure(f"unknown patch type: {go_text(directive)} in map: {go_text(patch)}")


def _field(before: Any, value: Any, shape: Shape) -> Any:
    """What a field is after the patch; ABSENT if it is no longer there."""
    if value is None:
        return ABSENT
    if isinstance(before, dict) and isinstance(value, dict):
        return value if _strategy(shape) == "replace" else _merged(before, value, shape)
    if isinstance(before, list) and isinstance(value, list):
        return _list(before, value, shape) if _strategy(shape) == "merge" else value
    return _plain(without_nulls(value))


def _set(made: Object, key: str, value: Any) -> None:
    if value is ABSENT:
        made.pop(key, None)
    else:
        made[key] = value


def _strategy(shape: Shape) -> str:
    """How a field merges, apart from whether its patches say which keys are retained."""
    return next((each for each in shape.patch_strategy.split(",") if each != "retainKeys"), "")


def _plain(value: Any) -> Any:
    """What a patch adds, without what its directives stand in; ABSENT if that is all of it."""
    if isinstance(value, dict):
        if PATCH in value:
            return ABSENT
        made = {name: _plain(each) for name, each in value.items()}
        return {name: each for name, each in made.items() if each is not ABSENT}
    if isinstance(value, list):
        return [each for each in map(_plain, value) if each is not ABSENT]
    return value


def _retained(live: Object, patch: Object) -> Object:
    """The live fields that the patch retains: all, unless it names those to retain."""
    if RETAIN not in patch:
        return dict(live)
    names = patch[RETAIN]
    wrong = bad_request("invalid patch format of retainKeys")
    if not isinstance(names, list):
        raise wrong
    for key, value in patch.items():
        if value is not None and key not in names and key != RETAIN and not key.startswith((DELETE, ORDER)):
            raise wrong
    return {name: each for name, each in live.items() if name in names}


def _target(key: str, complaint: str) -> str:
    """The list that a directive with a path is about."""
    _, slash, name = key.partition("/")
    if not slash:
        raise bad_request(complaint)
    return name


def _delete_scalars(made: Object, name: str, gone: Any) -> None:
    if gone is None:
        made.pop(name, None)
    elif isinstance(made.get(name), list) and isinstance(gone, list):
        made[name] = [each for each in made[name] if not any(same(each, other) for other in gone)]


def _ordered_lists(made: Object, patch: Object, shape: Shape) -> set[str]:
    """Merges the lists whose order the patch sets; returns their names."""
    done = set()
    for directive, order in patch.items():
        if not directive.startswith(ORDER):
            continue
        if not isinstance(order, list):
            raise failure(f"expected a []interface {{}}, but received a {_go_type(order)}")
        name = _target(directive, "invalid patch format of setElementOrder list")
        before, change = made.get(name), patch.get(name)
        for each in (before, change):
            if each is not None and not isinstance(each, list):
                raise failure(f"expected a []interface {{}}, but received a {_go_type(each)}")
        field = shape.at(name)
        ordering.check_order(change or [], order, field.patch_key)
        if before is None and change is None:
            continue
        merged: list[Any] = _plain(change) if before is None else before
        if before is not None and change is not None:
            merged = _field(before, change, field)
        made[name] = ordering.woven(merged, order, before or [], field.patch_key)
        done.add(name)
    return done


def _list(before: list[Any], patch: list[Any], shape: Shape) -> list[Any]:
    if not before and not patch:
        return before
    if ordering.are_objects(before, patch):
        if not shape.patch_key:
            raise failure("cannot merge lists without merge key for struct")
        before, patch = _directed_items(before, patch, shape.patch_key)
        merged = _merged_items(before, patch, shape)
    else:
        merged = [*before, *(each for each in patch if not any(same(each, other) for other in before))]
    return ordering.woven(merged, patch, before, shape.patch_key)


def _directed_items(before: list[Any], patch: list[Any], key: str) -> tuple[list[Any], list[Any]]:
    """The live items that the patch does not delete, and the items of the patch that are no directives."""
    plain = [item for item in patch if PATCH not in item]
    replaces = False
    for item in patch:
        directive = item.get(PATCH, ABSENT)
        if directive == "delete":
            gone = key_of(item, key)
            before = [each for each in before if not same(each.get(key, ABSENT), gone)]
        elif directive == "replace":
            replaces = True
        elif directive == "merge":
            raise failure("merging lists cannot yet be specified in the patch")
        elif directive is not ABSENT:
            raise failure(f"unknown patch type: {go_text(directive)} in map: {go_text(item)}")
    return (plain, []) if replaces else (before, plain)


def _merged_items(before: list[Any], patch: list[Any], shape: Shape) -> list[Any]:
    merged = list(before)
    for item in patch:
        key = key_of(item, shape.patch_key)
        place = next((at for at, each in enumerate(merged) if same(each.get(shape.patch_key, ABSENT), key)), None)
        if place is None:
            merged.append(item)
        else:
            merged[place] = _merged(merged[place], item, shape.each or UNTYPED)
    return merged


def _go_type(value: Any) -> str:
    if isinstance(value, dict):
        return "map[string]interface {}"
    if isinstance(value, list):
        return "[]interface {}"
    return {str: "string", bool: "bool", int: "int64", float: "float64"}.get(type(value), "%!s(<nil>)")
