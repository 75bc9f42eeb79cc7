"""Copies of a process in the middle of a simulation: each goes on by itself, and says what it has come to."""

from __future__ import annotations

import os

from tests.support.killing.splitting import Ended, Splits

from homeostat.kit.clock import Clock
from homeostat.kit.random import Random
from homeostat.sim.time.running import run


def courses(splits: Splits[int, list[str]]) -> Ended[list[str]]:
    """Counts to five, in five seconds; the copy that is made at two stops there, and others end otherwise."""

    async def main(clock: Clock, _: Random) -> list[str]:
        story = []
        for number in range(5):
            if splits.split(number):
                story.append(f"copied at {number}")
                _end_otherwise(number)
            if number == 2 and len(story) > 2:
                return story
            await clock.sleep(1)
            story.append(f"{number} at {clock.monotonic():g}")
        return story

    return splits.all(lambda: run(main))


def _end_otherwise(number: int) -> None:
    if number == 3:
        raise ValueError("three is too many")
    if number == 4:
        os._exit(7)


def test_a_copy_has_what_was_before_it_and_goes_on_alone_and_is_not_copied() -> None:
    splits: Splits[int, list[str]] = Splits()
    assert courses(splits).result == ["0 at 1", "1 at 2", "2 at 3", "3 at 4", "4 at 5"]
    assert splits.ends[2].result == ["0 at 1", "1 at 2", "copied at 2"]
    assert splits.ends[1].result == ["0 at 1", "copied at 1", "1 at 2"]
    assert splits.ends[0].result == ["copied at 0", "0 at 1", "1 at 2"]


def test_what_ends_a_copy_is_told_and_ends_nothing_else() -> None:
    splits: Splits[int, list[str]] = Splits()
    assert courses(splits).why == ""
    assert splits.ends[3] == Ended(None, "ValueError: three is too many")
    assert splits.ends[4] == Ended(None, "the copy ended with 7")


def test_another_copy_is_made_when_one_has_ended() -> None:
    splits: Splits[int, str] = Splits(most=1)
    ended_before: list[set[int]] = []

    async def main(*_: object) -> str:
        for number in range(3):
            if splits.split(number):
                return f"copy {number}"
            ended_before.append(set(splits.ends))
        return "all are made"

    assert splits.all(lambda: run(main)).result == "all are made"
    assert ended_before == [set(), {0}, {0, 1}]
    assert {label: end.result for label, end in splits.ends.items()} == {0: "copy 0", 1: "copy 1", 2: "copy 2"}
