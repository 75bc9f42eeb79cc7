"""The store of a long-running process: its keys may come, be mended and change while it runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pyrage
import pytest
from tests.contract.snapshots.conftest import BucketGround
from tests.support.snapshots import CLUSTER, taken

from homeostat.kit.clock import SystemClock
from homeostat.kit.random import system_random
from homeostat.operators.cluster.backup.errors import KeysUnusable
from homeostat.providers.snapshots.mounted import MountedStore, open_place

pytestmark = pytest.mark.real


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    return tmp_path / "keys"


@pytest.fixture
async def mounted(tmp_path: Path, keys: Path) -> AsyncIterator[MountedStore]:
    (tmp_path / "root").mkdir()
    place = open_place(f"file://{tmp_path}/root", random=system_random())
    made = MountedStore(place, keys, homeostat_version="0.1.0", clock=SystemClock(), random=system_random())
    yield made
    await made.close()


def add_key(keys: Path, key_id: str) -> None:
    keys.mkdir(exist_ok=True)
    (keys / key_id).write_text(f"# made by a test\n{pyrage.x25519.Identity.generate()}\n")


async def test_the_address_of_a_bucket_leads_to_it(bucket_ground: BucketGround, keys: Path, snapshot: Path) -> None:
    add_key(keys, "2026-01-01")
    address = f"s3://{bucket_ground.bucket}/{bucket_ground.prefix}?endpoint={bucket_ground.server.endpoint}&style=path"
    place = open_place(f"{address}&region=us-east-1", random=system_random())
    made = MountedStore(place, keys, homeostat_version="0.1.0", clock=SystemClock(), random=system_random())
    await made.put(snapshot, taken())
    await made.close()
    assert made.where == f"bucket {bucket_ground.bucket}/cells/one at {bucket_ground.server.endpoint}"
    assert bucket_ground.data().read_bytes().startswith(b"age-encryption.org/v1")


async def test_missing_keys_are_told_by_every_call_until_they_are_there(mounted: MountedStore, keys: Path) -> None:
    for _ in range(2):
        with pytest.raises(KeysUnusable, match=f"opening the store in {keys}: No such file or directory; mount the"):
            await mounted.list(CLUSTER)
    add_key(keys, "2026-01-01")
    assert await mounted.list(CLUSTER) == ()


async def test_a_file_that_is_no_key_is_named(mounted: MountedStore, keys: Path) -> None:
    keys.mkdir()
    (keys / "2026-01-01").write_text("nothing")
    with pytest.raises(KeysUnusable, match="key 2026-01-01: expected one line AGE-SECRET-KEY-1"):
        await mounted.probe()


async def test_a_new_key_is_used_at_once_and_the_old_one_still_decrypts(
    mounted: MountedStore, keys: Path, snapshot: Path, tmp_path: Path
) -> None:
    add_key(keys, "2026-01-01")
    first = await mounted.put(snapshot, taken(1))
    add_key(keys, "2026-02-01")
    second = await mounted.put(snapshot, taken(2))
    assert (first.encryption.key_id, second.encryption.key_id) == ("2026-01-01", "2026-02-01")
    await mounted.fetch(CLUSTER, first.id, tmp_path / "back.db")
    assert (tmp_path / "back.db").read_bytes() == snapshot.read_bytes()
