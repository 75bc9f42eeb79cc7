"""A snapshot of a real etcd of three members: whole, verified, from a follower; and what happens when it is not."""

from __future__ import annotations

import asyncio
import json
import ssl
import stat
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from tests.support.apiserver import free_port
from tests.support.certificates import Authority
from tests.support.etcds import HOSTS, Etcds, running
from tests.support.real import require

from homeostat.kit.clock import SystemClock
from homeostat.operators.cluster.backup.errors import LocalFileFailed
from homeostat.operators.cluster.ports import Unreachable
from homeostat.providers.etcd.drawing import Bounds, EtcdSnapshots
from homeostat.providers.etcd.gateway import context_of

pytestmark = pytest.mark.real

CLOCK = SystemClock()


@pytest.fixture(scope="module")
def etcds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Etcds]:
    with running(tmp_path_factory.mktemp("etcds")) as found:
        ctl(found, "endpoint", "health", "--command-timeout=30s")
        for number in range(12):
            ctl(found, "put", f"key-{number}", "x" * 100_000)
        yield found


@pytest.fixture
def source(etcds: Etcds) -> Iterator[EtcdSnapshots]:
    made = EtcdSnapshots(clock=CLOCK, client_port=etcds.client_port)
    yield made
    made.close()


def ctl(etcds: Etcds, *words: str) -> str:
    certificate, key = etcds.authority.user("test")
    for name, content in (("user.crt", certificate), ("user.key", key)):
        (etcds.place / name).write_bytes(content)
    tls = {"cacert": "ca.crt", "cert": "user.crt", "key": "user.key"}
    command = [str(require("etcdctl")), *(f"--{flag}={etcds.place / file}" for flag, file in tls.items())]
    command += ["--endpoints=" + ",".join(f"https://{host}:{etcds.client_port}" for host in HOSTS.values()), *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def judged(file: Path) -> dict[str, int]:
    """What etcd's own tool says of a snapshot; it fails where the checksum is not etcd's."""
    done = subprocess.run(
        [str(require("etcdutl")), "snapshot", "status", str(file), "-w", "json"], check=True, capture_output=True
    )
    found: dict[str, int] = json.loads(done.stdout)
    return found


@asynccontextmanager
async def relay(etcds: Etcds, harm: str) -> AsyncIterator[int]:
    """A member's stand-in with a true certificate, which harms the snapshots that it passes on; its port."""
    host, port, over = HOSTS["m-0"], free_port(), asyncio.Event()
    served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    served.load_cert_chain(etcds.place / "tls.crt", etcds.place / "tls.key")

    async def answer(request: web.Request) -> web.StreamResponse:
        url = f"https://{host}:{etcds.client_port}{request.path}"
        async with (
            aiohttp.ClientSession() as session,
            session.post(url, json={}, ssl=context_of(etcds.access())) as response,
        ):
            content = await response.read()
        if request.path.endswith("snapshot"):
            lines = content.splitlines(keepends=True)
            content = {
                "cut": b"".join(lines[:-1]),
                "changed": content.replace(b"eHh4eHh4", b"eHh5eHh4", 1),
                "silent": b"".join(lines[:2]),
            }[harm]
        told = web.StreamResponse()
        await told.prepare(request)
        await told.write(content)
        if harm == "silent" and request.path.endswith("snapshot"):
            await over.wait()
        return told

    app = web.Application()
    app.router.add_post("/v3/{method:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, host, port, ssl_context=served).start()
    try:
        yield port
    finally:
        over.set()
        await runner.cleanup()


async def test_a_snapshot_is_what_etcds_own_tool_takes_for_one_and_ends_at_the_same_revision(
    source: EtcdSnapshots, etcds: Etcds, tmp_path: Path
) -> None:
    drawn = await source.draw(etcds.access(), tmp_path / "etcd.db")
    said = judged(tmp_path / "etcd.db")
    assert (drawn.revision, drawn.etcd_version) == (said["revision"], "3.6.16")
    assert drawn.size == (tmp_path / "etcd.db").stat().st_size > 900_000
    assert stat.S_IMODE((tmp_path / "etcd.db").stat().st_mode) == 0o600


async def test_members_of_3_5_are_drawn_from_too(tmp_path: Path) -> None:
    with running(tmp_path, version="3.5") as older:
        ctl(older, "endpoint", "health", "--command-timeout=30s")
        ctl(older, "put", "key", "value")
        source = EtcdSnapshots(clock=CLOCK, client_port=older.client_port)
        drawn = await source.draw(older.access(), tmp_path / "etcd.db")
        source.close()
    assert drawn.etcd_version.startswith("3.5.")
    assert drawn.revision == judged(tmp_path / "etcd.db")["revision"]


async def test_it_ends_at_the_last_deletion_also_when_that_is_compacted_away(
    source: EtcdSnapshots, etcds: Etcds, tmp_path: Path
) -> None:
    ctl(etcds, "put", "gone", "soon")
    ctl(etcds, "del", "gone")
    revision = json.loads(ctl(etcds, "get", "gone", "-w", "json"))["header"]["revision"]
    ctl(etcds, "compaction", "--physical", str(revision))
    assert (await source.draw(etcds.access(), tmp_path / "etcd.db")).revision == revision


async def test_a_follower_is_asked(source: EtcdSnapshots, etcds: Etcds, tmp_path: Path) -> None:
    statuses = json.loads(ctl(etcds, "endpoint", "status", "-w", "json"))
    leader = next(
        each["Endpoint"] for each in statuses if each["Status"]["leader"] == each["Status"]["header"]["member_id"]
    )
    drawn = await source.draw(etcds.access(), tmp_path / "etcd.db")
    assert drawn.host in HOSTS.values()
    assert drawn.host not in leader


async def test_a_member_that_the_others_have_left_is_not_drawn_from(tmp_path: Path) -> None:
    """It still says who leads, and would send what it had when it heard of the others last."""
    (tmp_path / "etcds").mkdir()
    with running(tmp_path / "etcds") as etcds:
        ctl(etcds, "endpoint", "health", "--command-timeout=30s")
        statuses = json.loads(ctl(etcds, "endpoint", "status", "-w", "json"))
        leader = next(
            each["Endpoint"] for each in statuses if each["Status"]["leader"] == each["Status"]["header"]["member_id"]
        )
        names = sorted(HOSTS, key=lambda name: HOSTS[name] not in leader)
        source = EtcdSnapshots(clock=CLOCK, client_port=etcds.client_port)
        for name in names[:2]:
            etcds.kill(name)
        with pytest.raises(Unreachable):
            await source.draw(etcds.access(), tmp_path / "etcd.db")
        source.close()
    assert not (tmp_path / "etcd.db").exists()


async def test_strangers_get_nothing_and_leave_no_file(source: EtcdSnapshots, etcds: Etcds, tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="no member of"):
        await source.draw(etcds.access(Authority("stranger")), tmp_path / "etcd.db")
    assert list(tmp_path.iterdir()) == []


async def test_a_snapshot_that_takes_too_long_is_given_up_and_leaves_no_file(etcds: Etcds, tmp_path: Path) -> None:
    source = EtcdSnapshots(clock=CLOCK, client_port=etcds.client_port, bounds=Bounds(0.0001, 0.0))
    with pytest.raises(Unreachable, match="did not come within 0 s"):
        await source.draw(etcds.access(), tmp_path / "etcd.db")
    source.close()
    assert list(tmp_path.iterdir()) == []


async def test_a_directory_that_is_not_there_is_named(source: EtcdSnapshots, etcds: Etcds, tmp_path: Path) -> None:
    with pytest.raises(LocalFileFailed, match=f"{tmp_path}/none.*No such file or directory; look at the room"):
        await source.draw(etcds.access(), tmp_path / "none" / "etcd.db")


@pytest.mark.parametrize("harm", ["cut", "changed", "silent"])
async def test_bytes_that_are_not_those_that_etcd_sent_are_refused(etcds: Etcds, tmp_path: Path, harm: str) -> None:
    """A relay between us and etcd ends TLS with the same certificate, and harms what it passes on."""
    async with relay(etcds, harm) as port:
        source = EtcdSnapshots(clock=CLOCK, client_port=port, bounds=Bounds(3.0, 0.0))
        with pytest.raises(Unreachable, match=r"cut off or changed|is none|did not come"):
            await source.draw(etcds.access(), tmp_path / "etcd.db")
        source.close()
    assert list(tmp_path.iterdir()) == []
