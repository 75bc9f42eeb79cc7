"""What a Job says beforehand of indexes, failures and success, as batch/v1 judges it.

Not judged: whether a Job is somebody else's to look after, how many rules and patterns there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from homeostat.sim.apiserver.refusing import Cause
from homeostat.sim.apiserver.schemas.causes import (
    NOTHING,
    InOrder,
    at_index,
    child,
    duplicate,
    go_list,
    invalid,
    not_supported,
    quoted,
    required,
)
from homeostat.sim.apiserver.schemas.labels import label_name_faults
from homeostat.sim.apiserver.types.metadata import IMMUTABLE
from homeostat.sim.apiserver.types.type import Value

MOST_AT_ONCE = 2**31 - 1
_ACTIONS = ("Count", "FailIndex", "FailJob", "Ignore")
_OPERATORS = ("In", "NotIn")
_STATUSES = ("False", "True", "Unknown")
_MANY, _FEW = 100_000, 10_000
_INDEXED = "requires indexed completion mode"
_UNNAMED = "must be one of the container or initContainer names in the pod template"


def default_policies(spec: Value) -> None:
    """Conditions that a rule asks for are to hold, if nothing else is said."""
    for rule in (spec.get("podFailurePolicy") or {}).get("rules") or ():
        for pattern in rule.get("onPodConditions") or ():
            pattern["status"] = pattern.get("status") or "True"


def index_causes(spec: Value, path: str) -> Iterator[Cause]:
    """Of how many may fail of which, and of completions that have numbers."""
    if "maxFailedIndexes" in spec and "backoffLimitPerIndex" not in spec:
        yield required(child(path, "backoffLimitPerIndex"), "when maxFailedIndexes is specified")
    if spec.get("completionMode") == "Indexed":
        yield from _of_indexed(spec, path)
    elif spec.get("completionMode", "NonIndexed") == "NonIndexed":
        for name in ("backoffLimitPerIndex", "maxFailedIndexes"):
            if name in spec:
                yield invalid(child(path, name), spec[name], _INDEXED)


def policy_causes(spec: Value, path: str) -> Iterator[Cause]:
    """Of the rules of failure and of success, and of when a Pod is replaced."""
    template = spec.get("template", {}).get("spec", {})
    names = {each.get("name") for kind in ("containers", "initContainers") for each in template.get(kind) or ()}
    failure, success = spec.get("podFailurePolicy"), spec.get("successPolicy")
    for index, rule in enumerate((failure or {}).get("rules") or ()):
        place = at_index(child(child(path, "podFailurePolicy"), "rules"), index)
        yield from _of_failure(rule, place, names, has_limit="backoffLimitPerIndex" in spec)
    if success is not None:
        place = child(path, "successPolicy")
        if spec.get("completionMode") != "Indexed":
            yield invalid(place, _success_as_struct(success), _INDEXED)
        else:
            yield from _of_success(success, spec.get("completions") or 0, child(place, "rules"))
    replacement, known = spec.get("podReplacementPolicy"), ("Failed", "TerminatingOrFailed")
    allowed = known[:1] if failure is not None else known
    if replacement is not None and replacement not in allowed:
        yield not_supported(child(path, "podReplacementPolicy"), replacement, allowed)


def kept_causes(spec: Value, old: Value, path: str) -> Iterator[Cause]:
    """Of what may not change once it is said."""
    for name, shown in _KEPT.items():
        if spec.get(name) != old.get(name):
            yield invalid(child(path, name), None if spec.get(name) is None else shown(spec[name]), IMMUTABLE)


def _of_indexed(spec: Value, path: str) -> Iterator[Cause]:
    completions, parallelism = spec.get("completions"), spec.get("parallelism") or 0
    most = spec.get("maxFailedIndexes")
    if completions is None:
        yield required(child(path, "completions"), "when completion mode is Indexed")
    if parallelism > _MANY:
        text = f"must be less than or equal to {_MANY} when completion mode is Indexed"
        yield invalid(child(path, "parallelism"), parallelism, text)
    place = child(path, "maxFailedIndexes")
    if completions is not None and most is not None and most > completions:
        yield invalid(place, most, "must be less than or equal to completions")
    if most is not None and most > _MANY:
        yield invalid(place, most, f"must be less than or equal to {_MANY}")
    if completions is not None and completions > _MANY and "backoffLimitPerIndex" in spec:
        if most is None:
            yield required(place, f"must be specified when completions is above {_MANY}")
        text = f"must be less than or equal to {_FEW} when completions are above {_MANY} and used with backoff limit"
        for name, number in (("parallelism", parallelism), ("maxFailedIndexes", most or 0)):
            if number > _FEW:
                yield invalid(child(path, name), number, f"{text} per index")


def _of_failure(rule: Value, path: str, names: set[str], *, has_limit: bool) -> Iterator[Cause]:
    action, place = rule.get("action", ""), child(path, "action")
    if not action:
        yield required(place, f"valid values: {go_list(_ACTIONS)}")
    elif action == "FailIndex" and not has_limit:
        yield invalid(place, action, "requires the backoffLimitPerIndex to be set")
    elif action not in _ACTIONS:
        yield not_supported(place, action, _ACTIONS)
    codes, conditions = rule.get("onExitCodes"), rule.get("onPodConditions") or ()
    if codes is not None:
        yield from _of_codes(codes, child(path, "onExitCodes"), names)
    for index, each in enumerate(conditions):
        yield from _of_condition(each, at_index(child(path, "onPodConditions"), index))
    if codes is not None and conditions:
        yield invalid(path, NOTHING, "specifying both OnExitCodes and OnPodConditions is not supported")
    if codes is None and not conditions:
        yield invalid(path, NOTHING, "specifying one of OnExitCodes and OnPodConditions is required")


def _of_codes(codes: Value, path: str, names: set[str]) -> Iterator[Cause]:
    operator, place = codes.get("operator", ""), child(path, "operator")
    if not operator:
        yield required(place, f"valid values: {go_list(_OPERATORS)}")
    elif operator not in _OPERATORS:
        yield not_supported(place, operator, _OPERATORS)
    name = codes.get("containerName")
    if name is not None and name not in names:
        yield invalid(child(path, "containerName"), name, _UNNAMED)
    values, place = codes.get("values") or [], child(path, "values")
    if not values:
        yield invalid(place, codes.get("values"), "at least one value is required")
    for index, each in enumerate(values):
        if operator == "In" and each == 0:
            yield invalid(at_index(place, index), each, "must not be 0 for the In operator")
        if each in values[:index]:
            yield duplicate(at_index(place, index), each)
    if values != sorted(values):
        yield invalid(place, values, "must be ordered")


def _of_condition(pattern: Value, path: str) -> Iterator[Cause]:
    name, status = pattern.get("type", ""), pattern.get("status", "")
    for fault in label_name_faults(name):
        yield invalid(child(path, "type"), name, fault)
    if not status:
        yield required(child(path, "status"), f"valid values: {go_list(_STATUSES)}")
    elif status not in _STATUSES:
        yield not_supported(child(path, "status"), status, _STATUSES)


def _of_success(policy: Value, completions: int, path: str) -> Iterator[Cause]:
    rules = policy.get("rules") or ()
    if not rules:
        yield required(path, "at least one rules must be specified when the successPolicy is specified")
    for index, rule in enumerate(rules):
        yield from _of_enough(rule, completions, at_index(path, index))


def _of_enough(rule: Value, completions: int, path: str) -> Iterator[Cause]:
    indexes, count = rule.get("succeededIndexes"), rule.get("succeededCount")
    if indexes is None and count is None:
        yield required(path, "at least one of succeededCount or succeededIndexes must be specified")
    total = 0
    if indexes is not None:
        try:
            total = _total(indexes, completions)
        except ValueError as error:
            text = f"error parsing succeededIndexes: {error}"
            yield invalid(child(path, "succeededIndexes"), indexes, text)
    if count is None:
        return
    place = child(path, "succeededCount")
    if count < 0:
        yield invalid(place, count, "must be greater than or equal to 0")
    if count > completions:
        text = f"must be less than or equal to {completions} (the number of specified completions)"
        yield invalid(place, count, text)
    if indexes is not None and count > total:
        text = f"must be less than or equal to {total} (the number of indexes in the specified succeededIndexes field)"
        yield invalid(place, count, text)


def _total(text: str, completions: int) -> int:
    """How many indexes are named. Raises ValueError."""
    last, total = -1, 0
    for part in text.split(",") if text else ():
        words = part.split("-")
        if len(words) > 2:
            why = "violates the requirement that an index interval can have at most two parts separated by '-'"
            raise ValueError(f"the fragment {quoted(part)} {why}")
        numbers = [_index(word, completions) for word in words]
        if len(numbers) > 1 and numbers[0] >= numbers[1]:
            raise ValueError(f"non-increasing order, previous: {numbers[0]}, current: {numbers[1]}")
        if last >= numbers[0]:
            raise ValueError(f"non-increasing order, previous: {last}, current: {numbers[0]}")
        last = numbers[-1]
        total += numbers[-1] - numbers[0] + 1
    return total


def _index(text: str, completions: int) -> int:
    if not text.isdecimal():
        raise ValueError(f"cannot convert string to integer for index: {quoted(text)}")
    if int(text) >= completions:
        raise ValueError(f"too large index: {quoted(text)}")
    return int(text)


def _as_struct(rule: Value) -> InOrder:
    return InOrder(SucceededIndexes=rule.get("succeededIndexes"), SucceededCount=rule.get("succeededCount"))


def _success_as_struct(policy: Value) -> InOrder:
    return InOrder(Rules=[_as_struct(each) for each in policy.get("rules") or ()])


def _failure_as_struct(policy: Value) -> InOrder:
    rules = []
    for rule in policy.get("rules") or ():
        codes, patterns = rule.get("onExitCodes"), rule.get("onPodConditions")
        shown = {"ContainerName": "containerName", "Operator": "operator", "Values": "values"}
        rules.append(
            InOrder(
                Action=rule.get("action", ""),
                OnExitCodes=None if codes is None else InOrder({go: codes.get(name) for go, name in shown.items()}),
                OnPodConditions=patterns
                and [InOrder(Type=each.get("type", ""), Status=each.get("status", "")) for each in patterns],
            )
        )
    return InOrder(Rules=rules)


# What may not change once it is said, and how it is shown.
_KEPT: dict[str, Callable[[Any], object]] = {
    "podFailurePolicy": _failure_as_struct,
    "backoffLimitPerIndex": int,
    "successPolicy": _success_as_struct,
}
