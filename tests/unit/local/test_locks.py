"""What several processes share in the cache is made by one of them."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.support.clock import ManualClock

from homeostat.local.locks import attempt, locked


async def test_a_second_maker_waits_for_the_first_without_blocking_the_process(tmp_path: Path) -> None:
    clock = ManualClock()
    story: list[str] = []

    async def make(name: str) -> None:
        async with locked(tmp_path / "lock", clock=clock, waiting=lambda: story.append(f"{name} waits")):
            story.append(f"{name} begins")
            await clock.sleep(1)
            story.append(f"{name} ends")

    both = asyncio.gather(make("first"), make("second"))
    for _ in range(30):
        await clock.advance(0.2)
    await both
    done = [word for word in story if "waits" not in word]
    assert done == ["first begins", "first ends", "second begins", "second ends"]
    assert "second waits" in story


def test_an_attempt_removes_what_killed_ones_left_and_then_itself(tmp_path: Path) -> None:
    left = tmp_path / ".target.abc.partial"
    left.mkdir()
    (left / "file").touch()
    with attempt(tmp_path / "target") as work:
        assert work.is_dir()
        assert not left.exists()
        (work / "made").touch()
        (work / "made").rename(tmp_path / "target")
    assert [path.name for path in tmp_path.iterdir()] == ["target"]
