"""What a bucket does beyond the port: settings and credentials that are wrong, servers that are away, many files."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from aiohttp import web
from msgspec.structs import replace
from tests.contract.snapshots.conftest import KEY, BucketGround
from tests.support.apiserver import free_port
from tests.support.s3 import S3Server
from tests.support.snapshots import CLUSTER, taken

from homeostat.kit.clock import SystemClock
from homeostat.kit.random import system_random
from homeostat.operators.cluster.backup.errors import StoreFull, StoreRefused, StoreUnreachable, StoreWrong
from homeostat.providers.snapshots.address import BucketAddress
from homeostat.providers.snapshots.keyring import KeyRing
from homeostat.providers.snapshots.s3 import Bucket
from homeostat.providers.snapshots.store import Bounds, EncryptedStore

pytestmark = pytest.mark.real


def bucket_at(endpoint: str, name: str = "snapshots") -> Bucket:
    return Bucket(BucketAddress(name, "", endpoint, "us-east-1", "path"))


class Answering:
    """A server that answers everything with one error."""

    def __init__(self, status: int, code: str) -> None:
        self._status, self._code = status, code

    async def answer(self, _: web.Request) -> web.Response:
        text = f"<Error><Code>{self._code}</Code><Message>secret-of-the-test was refused</Message></Error>"
        return web.Response(status=self._status, text=text, content_type="application/xml")

    async def __aenter__(self) -> str:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.answer)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        port = free_port()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        return f"http://127.0.0.1:{port}"

    async def __aexit__(self, *error: object) -> None:
        await self._runner.cleanup()


class Swallowing(Answering):
    """A server that takes what it is given, and never answers anything else."""

    def __init__(self) -> None:
        self._is_over = asyncio.Event()

    async def answer(self, request: web.Request) -> web.Response:
        if request.method != "PUT":
            await self._is_over.wait()
        return web.Response(headers={"ETag": '"1"'})

    async def __aexit__(self, *error: object) -> None:
        self._is_over.set()
        await super().__aexit__(*error)


@pytest.fixture(autouse=True)
def credentials(bucket_ground: BucketGround) -> None:
    """Those of the server."""


async def test_a_bucket_that_does_not_exist_is_named(s3_server: S3Server) -> None:
    place = bucket_at(s3_server.endpoint, "never-made")
    with pytest.raises(StoreWrong, match=f"bucket never-made at {s3_server.endpoint}: NoSuchBucket .HTTP 404.; mend"):
        await place.files(CLUSTER)
    await place.close()


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (403, "InvalidAccessKeyId", StoreRefused),
        (403, "SignatureDoesNotMatch", StoreRefused),
        (403, "AccessDenied", StoreRefused),
        (400, "ExpiredToken", StoreRefused),
        (507, "XMinioStorageFull", StoreFull),
        (403, "QuotaExceeded", StoreFull),
        (501, "NotImplemented", StoreWrong),
        (405, "MethodNotAllowed", StoreWrong),
        (503, "SlowDown", StoreUnreachable),
    ],
)
async def test_what_a_server_refuses_is_told_by_kind_and_without_its_words(
    status: int, code: str, kind: type[Exception]
) -> None:
    async with Answering(status, code) as endpoint:
        place = bucket_at(endpoint)
        with pytest.raises(kind, match=f"{code} .HTTP {status}.") as caught:
            await place.try_out(".probe", b"x")
        assert "secret" not in str(caught.value)
        await place.close()


async def test_a_server_that_leads_elsewhere_without_an_end_is_wrong() -> None:
    async with Answering(301, "PermanentRedirect") as endpoint:
        place = bucket_at(endpoint)
        with pytest.raises(StoreWrong, match="from one address to another without an end; mend the address"):
            await place.files(CLUSTER)
        await place.close()


async def test_a_server_that_is_away_is_unreachable() -> None:
    place = bucket_at(f"http://127.0.0.1:{free_port()}")
    with pytest.raises(StoreUnreachable, match="EndpointConnectionError; look at the store and at the network"):
        await place.files(CLUSTER)
    await place.close()


async def test_a_probe_ends_in_its_time_where_a_server_neither_gives_back_nor_deletes_what_it_took() -> None:
    async with Swallowing() as endpoint:
        place, bounds = bucket_at(endpoint), Bounds(call_s=1.5, clean_up_s=0.1)
        clock, random = SystemClock(), system_random()
        store = EncryptedStore(
            place, KeyRing((KEY,)), homeostat_version="0.1.0", clock=clock, random=random, bounds=bounds
        )
        with pytest.raises(StoreUnreachable, match=r"probing the store in bucket .* did not end within 2 s; look at"):
            async with clock.timeout(10):
                await store.probe()
        await store.close()


async def test_without_credentials_it_says_where_to_put_them(
    s3_server: S3Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in s3_server.credentials:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(tmp_path))
    place = bucket_at(s3_server.endpoint)
    with pytest.raises(StoreRefused, match="there are no credentials; put AWS_ACCESS_KEY_ID"):
        await place.files(CLUSTER)
    await place.close()


async def test_a_long_list_is_read_to_its_end(bucket_ground: BucketGround, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "5")  # of a page; the server is in this process
    other = replace(CLUSTER, uid="other")
    for number in range(12):
        bucket_ground.file(f"file-{number}").write_bytes(b"")
    bucket_ground.file("stranger", other).write_bytes(b"")
    place = bucket_ground.make(SystemClock())
    assert len(await place.files(CLUSTER)) == 12
    await place.close()


async def test_parts_are_as_large_as_the_largest_snapshot_needs() -> None:
    place = bucket_at("http://127.0.0.1")
    for size in (0, 1 << 20, 8 << 30, 1 << 40):
        part = place.part_bytes(size)
        assert part >= 8 << 20
        assert -(-size // part) <= 9000


async def test_two_clusters_whose_uids_begin_alike_do_not_see_one_another(
    bucket_ground: BucketGround, snapshot: Path
) -> None:
    longer = replace(CLUSTER, uid=CLUSTER.uid + "-2")
    async with bucket_ground.store() as store:
        await asyncio.gather(store.put(snapshot, taken(1)), store.put(snapshot, taken(2, cluster=longer)))
        assert [one.revision for one in await store.list(CLUSTER)] == [1]
