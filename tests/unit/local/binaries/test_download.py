"""Downloads are resumed where they break off and given up when nobody answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.support.mirror import Cut, Hang, Mirror, Status
from tests.support.programs import HastyClock, Told, closed_port_url, tree

from homeostat.local.binaries import disk
from homeostat.local.binaries.download import ATTEMPTS, FIRST_ANSWER_S, IDLE_S, Absent, Fetcher, Unreachable
from homeostat.local.binaries.errors import BrokenDownload, NoSpace

BODY = bytes(range(256)) * 12_000  # three MiB


@pytest.fixture
async def mirror() -> AsyncIterator[Mirror]:
    async with Mirror().serving() as serving:
        serving.files["file"] = BODY
        yield serving


@pytest.fixture
def clock() -> HastyClock:
    return HastyClock()


@pytest.fixture
async def fetcher(clock: HastyClock) -> AsyncIterator[Fetcher]:
    async with Fetcher(clock) as fetcher:
        yield fetcher


async def test_a_file_arrives_whole_and_tells_how_far_it_is(mirror: Mirror, fetcher: Fetcher, tmp_path: Path) -> None:
    told = Told()
    await fetcher.file(f"{mirror.url}/file", tmp_path / "file", told)
    assert (tmp_path / "file").read_bytes() == BODY
    assert "downloading file: 2 of 2 MiB" in told


async def test_a_broken_download_continues_where_it_stopped(mirror: Mirror, fetcher: Fetcher, tmp_path: Path) -> None:
    mirror.faults["file"] = [Cut(1_000_000), Cut(500_000)]
    await fetcher.file(f"{mirror.url}/file", tmp_path / "file", None)
    assert (tmp_path / "file").read_bytes() == BODY
    assert mirror.asked("file") == ["", "1000000", "1500000"]


async def test_a_download_of_an_earlier_run_is_continued(mirror: Mirror, fetcher: Fetcher, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(BODY[:777])
    await fetcher.file(f"{mirror.url}/file", tmp_path / "file", None)
    assert (tmp_path / "file").read_bytes() == BODY
    assert mirror.asked("file") == ["777"]


async def test_a_server_without_ranges_sends_all_of_it_again(mirror: Mirror, fetcher: Fetcher, tmp_path: Path) -> None:
    mirror.knows_ranges = False
    (tmp_path / "file").write_bytes(b"x" * 777)
    await fetcher.file(f"{mirror.url}/file", tmp_path / "file", None)
    assert (tmp_path / "file").read_bytes() == BODY


async def test_a_part_that_the_server_does_not_know_is_thrown_away(
    mirror: Mirror, fetcher: Fetcher, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(BODY + b"more")
    await fetcher.file(f"{mirror.url}/file", tmp_path / "file", None)
    assert (tmp_path / "file").read_bytes() == BODY


async def test_a_download_that_never_ends_is_an_error_and_keeps_its_part(
    mirror: Mirror, fetcher: Fetcher, tmp_path: Path
) -> None:
    mirror.faults["file"] = [Cut(10)] * ATTEMPTS
    with pytest.raises(BrokenDownload, match=r"expected the whole file, .* 4 times; try again \(it continues"):
        await fetcher.file(f"{mirror.url}/file", tmp_path / "file", None)
    assert (tmp_path / "file").read_bytes() == BODY[: 10 * ATTEMPTS]


async def test_a_body_that_stops_is_given_up_and_continued(
    mirror: Mirror, fetcher: Fetcher, clock: HastyClock, tmp_path: Path
) -> None:
    told = Told()
    mirror.faults["file"] = [Hang(1024 * 1024)]
    fetching = asyncio.create_task(fetcher.file(f"{mirror.url}/file", tmp_path / "file", told))
    await told.some.wait()  # all that comes has come, and the patience for more begins
    await clock.advance(IDLE_S)
    await fetching
    assert (tmp_path / "file").read_bytes() == BODY


async def test_a_server_that_never_answers_is_unreachable_for_the_rest_of_the_run(
    mirror: Mirror, fetcher: Fetcher, clock: HastyClock, tmp_path: Path
) -> None:
    mirror.faults["file"] = [Hang()]
    fetching = asyncio.create_task(fetcher.file(f"{mirror.url}/file", tmp_path / "file", None))
    await mirror.hanging.wait()
    await clock.advance(FIRST_ANSWER_S)
    with pytest.raises(Unreachable, match=r"^127\.0\.0\.1:\d+: no answer within 5 s$"):
        await fetching
    with pytest.raises(Unreachable):
        await fetcher.file(f"{mirror.url}/another", tmp_path / "another", None)
    assert mirror.asked("another") == []


async def test_a_server_that_promises_a_body_and_never_sends_it_is_given_up_as_soon(
    mirror: Mirror, fetcher: Fetcher, clock: HastyClock, tmp_path: Path
) -> None:
    mirror.faults["file"] = [Hang(0)] * ATTEMPTS
    fetching = asyncio.create_task(fetcher.file(f"{mirror.url}/file", tmp_path / "file", None))
    await mirror.hanging.wait()
    await clock.advance(FIRST_ANSWER_S)
    with pytest.raises(Unreachable, match=r"^127\.0\.0\.1:\d+: no answer within 5 s$"):
        await fetching
    with pytest.raises(Unreachable):
        await fetcher.file(f"{mirror.url}/another", tmp_path / "another", None)
    assert [request.path for request in mirror.requests] == ["file"]


async def test_a_server_that_was_well_is_asked_twice_before_it_is_given_up(
    mirror: Mirror, fetcher: Fetcher, clock: HastyClock, tmp_path: Path
) -> None:
    mirror.files["small"] = b"well"
    await fetcher.file(f"{mirror.url}/small", tmp_path / "small", None)
    mirror.faults["file"] = [Hang()] * ATTEMPTS
    fetching = asyncio.create_task(fetcher.file(f"{mirror.url}/file", tmp_path / "file", None))
    for _ in range(2):
        await mirror.hanging.wait()
        mirror.hanging.clear()
        await clock.advance(2 * IDLE_S)
    with pytest.raises(Unreachable, match=r"^127\.0\.0\.1:\d+: no answer within 10 s$"):
        await fetching
    assert mirror.asked("file") == ["", ""]


async def test_a_part_is_kept_of_a_server_that_fell_silent(
    mirror: Mirror, fetcher: Fetcher, clock: HastyClock, tmp_path: Path
) -> None:
    mirror.faults["file"] = [Cut(10), Hang(), Hang()]
    fetching = asyncio.create_task(fetcher.file(f"{mirror.url}/file", tmp_path / "file", None))
    for _ in range(2):
        await mirror.hanging.wait()
        mirror.hanging.clear()
        await clock.advance(2 * IDLE_S)
    with pytest.raises(BrokenDownload, match=r"expected the whole file, .* no answer within 10 s, 3 times; try again"):
        await fetching
    assert (tmp_path / "file").read_bytes() == BODY[:10]


async def test_an_address_where_nobody_listens_is_unreachable(fetcher: Fetcher, tmp_path: Path) -> None:
    with pytest.raises(Unreachable):
        await fetcher.file(f"{closed_port_url()}/file", tmp_path / "file", None)


@pytest.mark.parametrize("code", [403, 404, 410])
async def test_a_file_that_is_not_there_is_absent(mirror: Mirror, fetcher: Fetcher, tmp_path: Path, code: int) -> None:
    mirror.faults["file"] = [Status(code)]
    with pytest.raises(Absent, match=str(code)):
        await fetcher.file(f"{mirror.url}/file", tmp_path / "file", None)
    assert not (tmp_path / "file").exists()


async def test_a_busy_server_is_asked_again(mirror: Mirror, fetcher: Fetcher, tmp_path: Path) -> None:
    mirror.faults["file"] = [Status(503), Status(429)]
    await fetcher.file(f"{mirror.url}/file", tmp_path / "file", None)
    assert (tmp_path / "file").read_bytes() == BODY


async def test_a_file_that_does_not_fit_is_refused_before_it_is_fetched(
    mirror: Mirror, fetcher: Fetcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "free_mib", lambda _: 10)
    with pytest.raises(NoSpace, match=r"expected 66 MiB free at .*, found 10 MiB; free space"):
        await fetcher.file(f"{mirror.url}/file", tmp_path / "file", None)
    assert tree(tmp_path) == []


async def test_a_disk_that_becomes_full_is_one_clear_error(mirror: Mirror, fetcher: Fetcher, tmp_path: Path) -> None:
    (tmp_path / "file").symlink_to("/dev/full")
    mirror.knows_ranges = False
    with pytest.raises(NoSpace, match="file: downloading: the disk is full"):
        await fetcher.file(f"{mirror.url}/file", tmp_path / "file", None)
