"""A snapshot on its way from the store to the Pod of a restore: over TLS, for its token, and compared at the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from tests.contract.snapshots.conftest import ID
from tests.support.apiserver import free_port
from tests.support.snapshots import CLUSTER, taken

from homeostat.kit.clock import SystemClock
from homeostat.operators.cluster.backup.errors import SnapshotNotFound
from homeostat.operators.cluster.backup.ports import SnapshotStore
from homeostat.operators.cluster.restore.ports import Offer
from homeostat.providers.snapshots.handout import Place, SnapshotHandout
from homeostat.providers.snapshots.member import MemberNotRestored, fetch
from homeostat.providers.snapshots.store import EncryptedStore

pytestmark = pytest.mark.real

TAKER = "uid-of-the-new-one"
CONTENT = bytes(range(256)) * 40_000  # several parts


@asynccontextmanager
async def serving(store: SnapshotStore, scratch: Path) -> AsyncIterator[SnapshotHandout]:
    """A handout of one process."""
    handout = SnapshotHandout(store, Place(scratch, "127.0.0.1", free_port(), "127.0.0.1"), clock=SystemClock())
    task = asyncio.ensure_future(handout.run())
    try:
        yield handout
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@pytest.fixture
async def kept(store: EncryptedStore, tmp_path: Path) -> EncryptedStore:
    """A store with one snapshot."""
    file = tmp_path / "file"
    file.write_bytes(CONTENT)
    await store.put(file, taken())
    return store


@pytest.fixture
async def handout(kept: EncryptedStore, tmp_path: Path) -> AsyncIterator[SnapshotHandout]:
    async with serving(kept, tmp_path / "scratch") as made:
        yield made


def mounted(tmp_path: Path, offer: Offer, **changes: str) -> Path:
    """The Secret as a Pod has it."""
    directory = tmp_path / "offer"
    directory.mkdir(exist_ok=True)
    entries = {"url": offer.url, "ca.crt": offer.authority.decode(), "token": offer.token, "sha256": offer.sha256}
    for name, value in {**entries, **changes}.items():
        (directory / name).write_text(value)
    return directory


async def get(tmp_path: Path, offer: Offer, **changes: str) -> bytes:
    target = tmp_path / "snapshot.db"
    await asyncio.to_thread(fetch, mounted(tmp_path, offer, **changes), target, tmp_path / "volume")
    return target.read_bytes()


async def test_a_pod_gets_the_very_bytes_for_its_token(handout: SnapshotHandout, tmp_path: Path) -> None:
    assert await get(tmp_path, await handout.offer(TAKER, CLUSTER, ID)) == CONTENT


async def test_another_token_gets_nothing(handout: SnapshotHandout, tmp_path: Path) -> None:
    offer = await handout.offer(TAKER, CLUSTER, ID)
    with pytest.raises(MemberNotRestored, match="HTTP 404"):
        await get(tmp_path, offer, token="guessed")


async def test_a_stranger_with_another_certificate_is_not_listened_to(
    handout: SnapshotHandout, kept: EncryptedStore, tmp_path: Path
) -> None:
    offer = await handout.offer(TAKER, CLUSTER, ID)
    async with serving(kept, tmp_path / "other") as other:
        foreign = await other.offer(TAKER, CLUSTER, ID)
    with pytest.raises(MemberNotRestored, match="CERTIFICATE_VERIFY_FAILED"):
        await get(tmp_path, offer, **{"ca.crt": foreign.authority.decode()})


async def test_bytes_with_another_checksum_are_refused(handout: SnapshotHandout, tmp_path: Path) -> None:
    offer = await handout.offer(TAKER, CLUSTER, ID)
    with pytest.raises(MemberNotRestored, match=f"expected the SHA-256 {'0' * 64}, found"):
        await get(tmp_path, offer, sha256="0" * 64)


async def test_an_offer_stays_the_same_until_it_is_withdrawn_and_its_bytes_go_with_it(
    handout: SnapshotHandout, tmp_path: Path
) -> None:
    offer = await handout.offer(TAKER, CLUSTER, ID)
    assert await handout.offer(TAKER, CLUSTER, ID) == offer == handout.offered(TAKER, CLUSTER, ID)
    await handout.withdraw(TAKER)
    assert handout.offered(TAKER, CLUSTER, ID) is None
    assert list((tmp_path / "scratch").rglob("*.db")) == []
    with pytest.raises(MemberNotRestored, match="HTTP 404"):
        await get(tmp_path, offer)


async def test_plain_bytes_of_an_earlier_process_go_before_the_first_fetch(
    kept: EncryptedStore, tmp_path: Path
) -> None:
    left = tmp_path / "scratch" / "handout" / "uid-of-somebody.db"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"plain")
    async with serving(kept, tmp_path / "scratch") as made:
        await made.offer(TAKER, CLUSTER, ID)
    assert not left.exists()


async def test_what_cannot_be_had_is_not_offered(handout: SnapshotHandout) -> None:
    with pytest.raises(SnapshotNotFound):
        await handout.offer(TAKER, CLUSTER, taken(revision=7).id)
    assert handout.offered(TAKER, CLUSTER, taken(revision=7).id) is None


async def test_of_many_fetches_at_once_some_are_asked_to_come_again(handout: SnapshotHandout) -> None:
    tries = (handout.offer(f"taker-{number}", CLUSTER, ID) for number in range(4))
    found = await asyncio.gather(*tries, return_exceptions=True)
    assert sorted(type(each).__name__ for each in found) == ["Busy", "Busy", "Offer", "Offer"]
    assert isinstance(await handout.offer("taker-3", CLUSTER, ID), Offer)


async def test_what_an_earlier_try_has_half_restored_goes_first(handout: SnapshotHandout, tmp_path: Path) -> None:
    half = tmp_path / "volume" / "restored" / "member"
    half.mkdir(parents=True)
    await get(tmp_path, await handout.offer(TAKER, CLUSTER, ID))
    assert not half.parent.exists()
