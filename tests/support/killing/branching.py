"""Many courses of a scenario, each disturbed at another moment: what they have in common is taken once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from functools import partial
from typing import TypeVar

from msgspec.structs import replace
from tests.support.killing.course import Course, Scenario, disturbed
from tests.support.killing.disturbing import Disturbing, Once
from tests.support.killing.faults import Fault
from tests.support.killing.splitting import Ended, Splits, ended, may_split

L = TypeVar("L", int, Fault)
Ends = Mapping[L, Ended[Course]]


def killed(scenario: Scenario, seed: int, moments: Collection[int]) -> Ends[int]:
    """For each of these moments, the course in which the operator dies there; of all points, it knows that one."""
    if may_split():
        splits: Splits[int, Course] = Splits()
        return _split(splits, scenario, seed, moments, _Deaths(splits, moments))
    return {at: ended(partial(_brief, scenario, seed, Once(kill_at=at))) for at in moments}


def troubled(scenario: Scenario, seed: int, faults: Collection[Fault]) -> Ends[Fault]:
    """For each of these faults, the course in which it befalls the operator."""
    if may_split():
        splits: Splits[Fault, Course] = Splits()
        return _split(splits, scenario, seed, faults, _Faults(splits, faults))
    return {fault: ended(partial(_brief, scenario, seed, Once(fault=fault))) for fault in faults}


def _split(
    splits: Splits[L, Course], scenario: Scenario, seed: int, wanted: Collection[L], disturbing: Disturbing
) -> Ends[L]:
    """What is never met disturbs nothing: then it ended as the course that made the copies."""
    usual = splits.all(partial(_brief, scenario, seed, disturbing))
    if usual.result is None:
        raise AssertionError(f"without any disturbance, {usual.why}")
    return {each: splits.ends.get(each, usual) for each in wanted}


def _brief(scenario: Scenario, seed: int, disturbing: Disturbing) -> Course:
    return replace(disturbed(scenario, seed, disturbing), points=(), distinct=())


class _Deaths:
    """At each of these moments, a copy of the process whose operator dies."""

    has_faults = False

    def __init__(self, splits: Splits[int, Course], moments: Collection[int]) -> None:
        self._splits, self._moments = splits, frozenset(moments)

    def dies(self, point: int) -> bool:
        return point in self._moments and self._splits.split(point)

    def fault(self, write: int) -> Fault | None:
        return None


class _Faults:
    """At each of these writes, a copy of the process for each of the faults there."""

    has_faults = True

    def __init__(self, splits: Splits[Fault, Course], faults: Collection[Fault]) -> None:
        self._splits = splits
        self._faults: dict[int, list[Fault]] = defaultdict(list)
        for fault in faults:
            self._faults[fault.at].append(fault)

    def dies(self, point: int) -> bool:
        return False

    def fault(self, write: int) -> Fault | None:
        return next((fault for fault in self._faults[write] if self._splits.split(fault)), None)
