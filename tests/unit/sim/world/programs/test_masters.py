"""When the masters of a business cluster run and agree, its API serves; without a quorum it does not."""

from __future__ import annotations

import asyncio
import random
from base64 import b64decode
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from tests.support.programs_of_masters import ENDPOINT, Masters, programs
from tests.support.requesting import BINDINGS, REQUESTS, asked
from tests.support.simulated import CONFIG_MAPS, config_map

from homeostat.kit.pki.authority import key_pem, new_key
from homeostat.kube.client import Client
from homeostat.kube.errors import ConnectionFailed, Forbidden, Unauthorized, UntrustedServer
from homeostat.kube.retrying import NO_RETRIES
from homeostat.operators.cluster.pki.kubeconfig import read_kubeconfig, write_kubeconfig
from homeostat.operators.cluster.ports import Direct, EtcdRefused, Unreachable
from homeostat.sim.world.network.dialling import reach_from


def client(masters: Masters, kubeconfig: bytes = b"") -> Client:
    """Of the administrator, through the endpoint."""
    config = read_kubeconfig(kubeconfig or masters.kubeconfig())
    transport = reach_from(masters.network, masters.clock)(config)(config.server, "")
    return Client(transport, clock=masters.clock, random=random.Random(0), default_timeout_s=5.0, retries=NO_RETRIES)


async def write(masters: Masters, name: str) -> None:
    async with client(masters) as admin:
        await masters.timed(asyncio.ensure_future(admin.create(CONFIG_MAPS, config_map(name), "default")))


async def names(masters: Masters) -> list[str]:
    async with client(masters) as admin:
        found: Any = await masters.timed(asyncio.ensure_future(admin.list(CONFIG_MAPS, "default")))
        return [each["metadata"]["name"] for each in found.items]


async def test_masters_that_run_and_agree_serve_at_the_endpoint() -> None:
    async with programs() as masters:
        await masters.all()
        await masters.controllers()
        await masters.after(4)
        probe = masters.probe()
        served: Any = await masters.timed(asyncio.ensure_future(probe.probe(masters.kubeconfig())))
        assert served.version == "v1.35.4"
        assert served.refused is None
        assert served.leaders["kube-controller-manager"].holder == "manager-0_uid-manager-0"


async def test_without_a_quorum_nothing_is_written_and_later_all_is_there() -> None:
    async with programs() as masters:
        await masters.all()
        await write(masters, "before")
        await masters.kill("demo-etcd-0", "demo-etcd-2")
        with pytest.raises(ConnectionFailed):
            await write(masters, "lost")
        assert not masters.programs["apiserver-0"].answers(6443, "/readyz")
        await masters.member(2)
        await masters.after(5)
        assert masters.programs["apiserver-0"].answers(6443, "/readyz")
        await write(masters, "after")
        assert await names(masters) == ["after", "before"]


async def test_one_member_of_three_may_be_away_and_catches_up() -> None:
    async with programs() as masters:
        await masters.all()
        await masters.kill("demo-etcd-1")
        await masters.after(3)
        await write(masters, "meanwhile")
        await masters.member(1)
        await masters.after(3)
        await masters.kill("demo-etcd-0")
        await masters.after(3)
        assert await names(masters) == ["meanwhile"]


async def test_members_that_do_not_hear_each_other_have_one_quorum_at_most() -> None:
    async with programs() as masters:
        await masters.all()
        for other in ("demo-etcd-1", "demo-etcd-2"):
            masters.network.cut("demo-etcd-0", other)
        await masters.after(5)
        members = await masters.etcd.members(masters.access())
        assert {each.name: each.is_well for each in members} == {
            "demo-etcd-0": False,
            "demo-etcd-1": True,
            "demo-etcd-2": True,
        }
        assert sum(each.is_leader for each in members) == 1


async def test_an_empty_member_is_refused_by_a_list_that_differs() -> None:
    async with programs() as masters:
        await masters.all()
        await masters.kill("demo-etcd-1")
        masters.disks["demo-etcd-1"].content.clear()
        masters.listed, masters.state = [*masters.names.members, "nobody"], "existing"
        await masters.member(1)
        await masters.after(2)
        assert masters.codes["demo-etcd-1"] == 1
        assert "member count is unequal" in masters.words["demo-etcd-1"].content["message"]


async def test_a_member_is_replaced_by_way_of_a_learner() -> None:
    async with programs() as masters:
        await masters.all()
        await write(masters, "kept")
        await masters.kill("demo-etcd-1")
        masters.disks["demo-etcd-1"].content.clear()
        access, etcd = masters.access(), masters.etcd
        dead = next(each for each in await masters.timed_members() if each.name == "demo-etcd-1")
        await etcd.remove(access, dead.id)
        await etcd.add_learner(access, dead.host)
        masters.state = "existing"
        learner = next(each for each in await masters.timed_members() if each.is_learner)
        with pytest.raises(EtcdRefused, match="in sync with leader"):
            await etcd.promote(access, learner.id)
        await masters.member(1)
        await masters.after(2)
        await etcd.promote(access, learner.id)
        await masters.kill("demo-etcd-0")
        await masters.after(3)
        assert await names(masters) == ["kept"]


async def test_wiped_volumes_are_lost_data() -> None:
    async with programs() as masters:
        await masters.all()
        await write(masters, "gone")
        await masters.kill("demo-etcd-0", "demo-etcd-1", "demo-etcd-2")
        for disk in masters.disks.values():
            disk.content.clear()
        for number in range(3):
            await masters.member(number)
        await masters.after(5)
        assert await names(masters) == []


async def test_a_member_that_was_removed_ends_for_ever() -> None:
    async with programs() as masters:
        await masters.all()
        gone = next(each for each in await masters.timed_members() if each.name == "demo-etcd-2")
        await masters.etcd.remove(masters.access(), gone.id)
        await masters.after(1)
        assert masters.codes["demo-etcd-2"] == 0
        await masters.member(2)
        await masters.after(2)
        assert masters.codes["demo-etcd-2"] == 0


async def test_a_flag_that_is_not_known_ends_an_api_server_with_words() -> None:
    async with programs() as masters:
        await masters.apiserver(max_requests_inflite="1")
        assert masters.codes["apiserver-0"] == 1
        assert masters.words["apiserver-0"].content["message"] == "Error: unknown flag: --max-requests-inflite"


async def test_a_key_that_is_no_key_ends_an_api_server() -> None:
    async with programs() as masters:
        masters.entries["serving.key"] = b"scrambled"
        await masters.apiserver()
        assert masters.codes["apiserver-0"] == 1


async def test_an_api_server_without_etcd_gives_up() -> None:
    async with programs() as masters:
        await masters.apiserver()
        await masters.after(30)
        assert masters.codes["apiserver-0"] == 1


async def test_an_expired_client_is_unauthorized_and_a_foreign_server_untrusted() -> None:
    async with programs() as masters:
        await masters.all()
        short = masters.kubeconfig(life_days=1)
        await masters.clock.advance(2 * 86_400.0)
        async with client(masters, short) as late:
            with pytest.raises(Unauthorized):
                await masters.timed(asyncio.ensure_future(late.list(CONFIG_MAPS, "default")))
    async with programs() as masters, programs() as others:
        await masters.all()
        async with client(masters, others.kubeconfig()) as stranger:
            with pytest.raises(UntrustedServer):
                await stranger.list(CONFIG_MAPS, "default")


async def test_an_idle_leader_writes_nothing_and_its_lease_is_fresh_for_whoever_reads_it() -> None:
    async with programs() as masters:
        await masters.all()
        await masters.controllers()
        await masters.after(4)
        probe, kubeconfig = masters.probe(), masters.kubeconfig()
        await masters.timed(asyncio.ensure_future(probe.probe(kubeconfig)))
        member: Any = masters.programs["demo-etcd-0"]
        before = member.quorum.store.revision
        await masters.after(600)
        assert member.quorum.store.revision == before
        served: Any = await masters.timed(asyncio.ensure_future(probe.probe(kubeconfig)))
        leader = served.leaders["kube-controller-manager"]
        assert (masters.clock.now() - leader.renewed).total_seconds() < 2


async def test_when_a_leader_dies_another_one_leads_when_the_lease_has_run_out() -> None:
    async with programs() as masters:
        await masters.all()
        for number in range(2):
            await masters.controllers(number)
            await masters.after(4)
        await masters.kill("manager-0")
        probe, kubeconfig = masters.probe(), masters.kubeconfig()
        await masters.after(5)
        served: Any = await masters.timed(asyncio.ensure_future(probe.probe(kubeconfig)))
        assert served.leaders["kube-controller-manager"].holder == "manager-0_uid-manager-0"
        await masters.after(30)
        served = await masters.timed(asyncio.ensure_future(probe.probe(kubeconfig)))
        assert served.leaders["kube-controller-manager"].holder == "manager-1_uid-manager-1"


async def test_the_lease_of_a_leader_that_lost_its_api_server_tells_when_it_was_renewed_and_not_when_it_was_read() -> (
    None
):
    async with programs() as masters:
        await masters.all()
        await masters.controllers()
        await masters.after(4)
        probe, kubeconfig = masters.probe(), masters.kubeconfig()
        await masters.timed(asyncio.ensure_future(probe.probe(kubeconfig)))
        await masters.after(300)
        lost = masters.clock.now()
        await masters.kill("apiserver-0")
        await masters.after(3)
        await masters.kill("manager-0")
        await masters.apiserver(1)
        await masters.after(5)
        served: Any = await masters.timed(asyncio.ensure_future(probe.probe(kubeconfig)))
        leader = served.leaders["kube-controller-manager"]
        assert abs((leader.renewed - lost).total_seconds()) <= 2


async def test_a_host_that_is_dead_is_silent_and_a_port_that_is_closed_refuses() -> None:
    async with programs() as masters:
        await masters.all()
        direct = Direct(f"https://{masters.names.apiservers[0]}:6443", ENDPOINT)
        masters.dead.add("apiserver-0")
        masters.network.tell("apiserver-0")
        probe, kubeconfig = masters.probe(), masters.kubeconfig()
        began = masters.clock.monotonic()
        with pytest.raises(Unreachable, match="no answer within"):
            await masters.timed(asyncio.ensure_future(probe.probe(kubeconfig, direct)))
        assert masters.clock.monotonic() - began >= 3
        with pytest.raises(Unreachable, match="Connection refused"):  # the balancer has nobody
            await masters.timed(asyncio.ensure_future(probe.probe(kubeconfig)))
        masters.dead.clear()
        await masters.kill("apiserver-0")
        with pytest.raises(Unreachable, match="Connection refused"):
            await masters.timed(asyncio.ensure_future(probe.probe(kubeconfig, direct)))


async def test_whoever_is_approved_is_signed_for_as_long_as_he_asks_and_is_let_in() -> None:
    async with programs() as masters:
        await masters.all()
        await masters.controllers()
        await masters.after(4)
        key = new_key()
        certificate = await certified(masters, key, expirationSeconds=3600)
        read = x509.load_pem_x509_certificate(certificate)
        assert read.subject.rfc4514_string() == "CN=ann,O=readers"
        lasts = read.not_valid_after_utc - masters.clock.now()
        assert timedelta(minutes=59) < lasts <= timedelta(hours=1)
        ca = masters.entries["ca.crt"]
        address = f"https://{ENDPOINT}:6443"
        kubeconfig = write_kubeconfig(address, "ann", ca=ca, certificate=certificate, key=key_pem(key))
        async with client(masters, kubeconfig) as ann:
            with pytest.raises(Forbidden, match='User "ann"'):
                await masters.timed(asyncio.ensure_future(ann.list(CONFIG_MAPS, "default")))
            await bind_to_administrators(masters, "readers")
            await masters.timed(asyncio.ensure_future(ann.list(CONFIG_MAPS, "default")))
        await masters.after(3700)
        async with client(masters, kubeconfig) as ann:
            with pytest.raises(Unauthorized):
                await masters.timed(asyncio.ensure_future(ann.list(CONFIG_MAPS, "default")))


async def test_what_no_client_needs_is_not_signed() -> None:
    async with programs() as masters:
        await masters.all()
        await masters.controllers()
        await masters.after(4)
        status = await requested(masters, new_key(), usages=["server auth", "client auth"])
        assert [(each["type"], each.get("reason")) for each in status["conditions"]] == [
            ("Approved", "Test"),
            ("Failed", "SignerValidationFailure"),
        ]
        assert "certificate" not in status


async def test_without_a_controller_manager_nothing_is_signed_and_the_next_one_signs_it() -> None:
    async with programs() as masters:
        await masters.all()
        assert "certificate" not in await requested(masters, new_key())
        await masters.controllers()
        await masters.after(4)
        assert "certificate" in await status_of_request(masters)


async def bind_to_administrators(masters: Masters, group: str) -> None:
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}
    body = {"metadata": {"name": group}, "roleRef": role, "subjects": [{"kind": "Group", "name": group}]}
    async with client(masters) as admin:
        await masters.timed(asyncio.ensure_future(admin.create(BINDINGS, body)))


async def certified(masters: Masters, key: ec.EllipticCurvePrivateKey, **spec: Any) -> bytes:
    return b64decode((await requested(masters, key, **spec))["certificate"])


async def requested(masters: Masters, key: ec.EllipticCurvePrivateKey, **spec: Any) -> dict[str, Any]:
    """What becomes of a request of ann, that is approved at once."""
    whole = {"request": asked("ann", "readers", key=key), "usages": ["client auth"], **spec}
    body = {"metadata": {"name": "ann"}, "spec": {"signerName": "kubernetes.io/kube-apiserver-client", **whole}}
    approved = {"status": {"conditions": [{"type": "Approved", "status": "True", "reason": "Test"}]}}
    async with client(masters) as admin:
        await masters.timed(asyncio.ensure_future(admin.create(REQUESTS, body)))
        patched = admin.merge_patch(REQUESTS, "ann", approved, subresource="approval")
        await masters.timed(asyncio.ensure_future(patched))
    return await status_of_request(masters)


async def status_of_request(masters: Masters) -> dict[str, Any]:
    async with client(masters) as admin:
        found: dict[str, Any] = await masters.timed(asyncio.ensure_future(admin.get(REQUESTS, "ann")))
    status: dict[str, Any] = found["status"]
    return status
