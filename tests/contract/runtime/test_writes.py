"""Status, finalizers, events and leases on both engines."""

from __future__ import annotations

import asyncio

import pytest
from msgspec import Struct
from tests.support.apiserver import ApiServer

from homeostat.api.core import CONFIG_MAP, LEASE, NAMESPACE
from homeostat.api.kind import Kind, Resource
from homeostat.api.meta import ObjectMeta
from homeostat.kit.clock import SystemClock
from homeostat.kit.random import system_random
from homeostat.kube.client import Client
from homeostat.kube.errors import Conflict
from homeostat.runtime.events import Recorder, reference
from homeostat.runtime.finalizers import add_finalizer, remove_finalizer
from homeostat.runtime.leader import LeaderElector, LeaseTimes
from homeostat.runtime.status import Outdated, write_status

pytestmark = pytest.mark.real

CLOCK = SystemClock()
FINALIZER = "test.homeostat.dev/cleanup"


class Phase(Struct, frozen=True):
    phase: str = ""


class Claim(Struct, frozen=True):
    """Any built-in kind with a status that nothing else writes here."""

    metadata: ObjectMeta
    status: Phase = Phase()


CLAIM = Kind(Resource("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims"), Claim)


async def claim(client: Client, namespace: str) -> Claim:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return await client.create(CLAIM, {"metadata": {"name": "data", "namespace": namespace}, "spec": spec})


async def test_a_status_is_written_once_and_not_again_when_equal(client: Client, namespace: str) -> None:
    made = await claim(client, namespace)
    written = await write_status(client, CLAIM, made, Phase("Bound"))
    assert written is not None
    assert written.status == Phase("Bound")
    assert await write_status(client, CLAIM, written, Phase("Bound")) is None


async def test_an_older_status_is_never_written_over_a_newer_one(client: Client, namespace: str) -> None:
    read = await claim(client, namespace)
    await write_status(client, CLAIM, read, Phase("Bound"))
    with pytest.raises(Outdated, match="newer status"):
        await write_status(client, CLAIM, read, Phase("Lost"))
    assert (await client.get(CLAIM, "data", namespace)).status == Phase("Bound")


async def test_a_status_is_written_over_a_change_of_anything_else(client: Client, namespace: str) -> None:
    read = await claim(client, namespace)
    labelled = {"metadata": {"name": "data", "namespace": namespace, "labels": {"a": "b"}}}
    await client.apply(CLAIM, labelled, field_manager="somebody-else")
    written = await write_status(client, CLAIM, read, Phase("Bound"))
    assert written is not None
    assert (written.status, written.metadata.labels) == (Phase("Bound"), {"a": "b"})


async def test_a_status_never_goes_to_a_new_object_of_the_same_name(client: Client, namespace: str) -> None:
    made = await claim(client, namespace)
    other = Claim(ObjectMeta(name="data", namespace=namespace, uid="00000000-0000-0000-0000-000000000000"))
    with pytest.raises(Conflict):
        await write_status(client, CLAIM, other, Phase("Bound"))
    assert (await client.get(CLAIM, "data", namespace)).status == made.status


async def test_finalizers_come_and_go_and_a_stale_list_is_a_conflict(client: Client, namespace: str) -> None:
    body = {"metadata": {"name": "guarded", "namespace": namespace}}
    fresh = await client.create(CONFIG_MAP, body)
    held = await add_finalizer(client, CONFIG_MAP, fresh, FINALIZER)
    assert held.metadata.finalizers == (FINALIZER,)
    with pytest.raises(Conflict, match="read the object again"):
        await add_finalizer(client, CONFIG_MAP, fresh, "test.homeostat.dev/other")
    await client.delete(CONFIG_MAP, "guarded", namespace)
    held = await client.get(CONFIG_MAP, "guarded", namespace)
    assert held.metadata.deletion_timestamp is not None
    await remove_finalizer(client, CONFIG_MAP, held, FINALIZER)
    assert not (await client.list(CONFIG_MAP, namespace, fields="metadata.name=guarded")).items


@pytest.mark.not_imitated("kubectl, which has no way to the simulated one here")
async def test_describe_tells_a_repeated_note_as_one_line_with_a_count(
    client: Client, namespace: str, api_server: ApiServer
) -> None:
    made = await client.create(CONFIG_MAP, {"metadata": {"name": "told", "namespace": namespace}})
    recorder = Recorder(client, "homeostat", clock=CLOCK, random=system_random())
    for _ in range(3):
        recorder.warning(reference(CONFIG_MAP, made), "TooWarm", "the room is too warm")
    home = await client.get(NAMESPACE, namespace)
    recorder.normal(reference(NAMESPACE, home), "Counted", "about no namespace")
    await recorder.flush()
    described = await asyncio.to_thread(api_server.kubectl, "describe", "configmap", "told", "-n", namespace)
    lines = [line for line in str(described).splitlines() if "TooWarm" in line]
    assert len(lines) == 1
    assert "(x3 over" in lines[0]
    assert "homeostat" in lines[0]


async def test_of_two_candidates_one_leads_and_release_hands_over_at_once(client: Client, namespace: str) -> None:
    times = LeaseTimes(lease_s=5.0, renew_deadline_s=2.0, retry_s=0.1)
    first, second = (
        LeaderElector(client, "lead", namespace, name, clock=CLOCK, random=system_random(), times=times)
        for name in ("first", "second")
    )
    one = asyncio.ensure_future(first.run())
    async with CLOCK.timeout(10):
        await first.leading.wait()
    two = asyncio.ensure_future(second.run())
    async with CLOCK.timeout(10):
        while second.holder != "first":
            await CLOCK.sleep(0.01)
    assert first.may_act()
    assert not second.may_act()
    one.cancel()
    await asyncio.gather(one, return_exceptions=True)
    await first.release()
    async with CLOCK.timeout(3):
        await second.leading.wait()
    two.cancel()
    await asyncio.gather(two, return_exceptions=True)
    spec = (await client.get(LEASE, "lead", namespace)).spec
    assert (spec.holder_identity, spec.lease_transitions) == ("second", 1)
