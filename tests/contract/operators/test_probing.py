"""The probe of an endpoint, against a real API server: an answer, or why there is none, without secrets."""

from __future__ import annotations

from typing import Literal

import pytest
from msgspec.structs import replace
from tests.support.apiserver import ApiServer, free_port
from tests.support.certificates import Authority
from tests.support.silence import NAME, forbidding, hanging, silent_port

from homeostat.api.coordination import LEASE
from homeostat.api.core import NODE
from homeostat.kit.clock import SystemClock
from homeostat.kit.random import system_random
from homeostat.kube.client import ServerVersion
from homeostat.kube.config import from_kubeconfig_bytes
from homeostat.kube.connect import connect
from homeostat.kube.errors import ApiError, ServerTimeout, TimedOut, TooManyRequests
from homeostat.operators.cluster.pki.kubeconfig import write_kubeconfig
from homeostat.operators.cluster.ports import Direct, Refusal, Unreachable
from homeostat.providers.endpoint.probing import PROBE_LEASE, EndpointProbe, refusal, served

PROBE = EndpointProbe(clock=SystemClock(), random=system_random())


def kubeconfig(server: ApiServer, *, url: str = "", ca: bytes = b"", user: str = "admin") -> bytes:
    """A kubeconfig as the operator's Secret holds it."""
    certificate, key = server.authority.user(user, "system:masters" if user == "admin" else "nobodies")
    trusted = ca or server.authority.certificate
    return write_kubeconfig(url or server.url, user, ca=trusted, certificate=certificate, key=key)


async def test_the_version_that_answers_is_told(api_server: ApiServer) -> None:
    assert (await PROBE.probe(kubeconfig(api_server))).version.startswith("v1.")


async def test_every_probe_writes_a_word_that_was_never_said_and_hears_it_back(api_server: ApiServer) -> None:
    async def said() -> str | None:
        config = from_kubeconfig_bytes(kubeconfig(api_server))
        async with connect(config, clock=SystemClock(), random=system_random()) as client:
            return (await client.get(LEASE, PROBE_LEASE, "kube-system")).spec.holder_identity

    await PROBE.probe(kubeconfig(api_server))
    first = await said()
    await PROBE.probe(kubeconfig(api_server))
    assert first
    assert await said() not in (None, first)


async def test_who_leads_is_told_by_the_name_of_the_lease(api_server: ApiServer) -> None:
    leads = {"metadata": {"name": "kube-scheduler", "namespace": "kube-system"}, "spec": {"holderIdentity": "pod_1"}}
    config = from_kubeconfig_bytes(kubeconfig(api_server))
    async with connect(config, clock=SystemClock(), random=system_random()) as client:
        await client.apply(LEASE, leads, force=True)
    assert (await PROBE.probe(kubeconfig(api_server))).leaders["kube-scheduler"].holder == "pod_1"


async def test_the_versions_of_all_kubelets_are_told_once_each_and_those_that_never_came_are_not(
    api_server: ApiServer,
) -> None:
    kubelets = {"probed-1": "v1.34.4", "probed-2": "v1.35.4", "probed-3": "v1.35.4", "probed-4": ""}
    config = from_kubeconfig_bytes(kubeconfig(api_server))
    async with connect(config, clock=SystemClock(), random=system_random()) as client:
        for name, version in kubelets.items():
            await client.create(NODE, {"metadata": {"name": name}})
            told = {"status": {"nodeInfo": {"kubeletVersion": version}}}
            await client.merge_patch(NODE, name, told, subresource="status")
        try:
            assert await PROBE.kubelets(kubeconfig(api_server)) == {"v1.34.4", "v1.35.4"}
        finally:
            for name in kubelets:
                await client.delete(NODE, name)
    with pytest.raises(Unreachable, match="asking for the kubelets' versions"):
        await PROBE.kubelets(kubeconfig(api_server, user="nobody"))


async def test_one_api_server_is_asked_at_its_own_address_and_must_prove_the_name_of_all(api_server: ApiServer) -> None:
    config = kubeconfig(api_server, url="https://192.0.2.1:6443")
    direct = Direct(api_server.url, "kubernetes.default.svc")
    assert (await PROBE.probe(config, direct)).version.startswith("v1.")
    with pytest.raises(Unreachable, match="does not prove that it is the server we want"):
        await PROBE.probe(config, Direct(api_server.url, "another.default.svc"))


async def test_a_server_that_hangs_with_its_port_open_is_found_in_time(api_server: ApiServer) -> None:
    await until_it_is_found(api_server, hung="kube-apiserver")


@pytest.mark.not_imitated("etcd as a process beside a bare API server")
async def test_so_is_one_whose_etcd_hangs(api_server: ApiServer) -> None:
    await until_it_is_found(api_server, hung="etcd")


async def until_it_is_found(server: ApiServer, hung: Literal["kube-apiserver", "etcd"]) -> None:
    clock = SystemClock()
    with server.held(hung):
        began = clock.monotonic()
        with pytest.raises(Unreachable):
            await PROBE.probe(kubeconfig(server))
        assert clock.monotonic() - began < 10


async def refused(server: ApiServer) -> tuple[Refusal, float]:
    """Why a probe's write is refused, and how long the probe took; the API server takes a moment to hear of it."""
    clock = SystemClock()
    async with clock.timeout(30):
        while True:
            began = clock.monotonic()
            told = await PROBE.probe(kubeconfig(server))
            assert told.version.startswith("v1.")
            if told.refused is not None:
                return told.refused, clock.monotonic() - began


@pytest.mark.parametrize("is_open", [True, False], ids=["that_hangs", "that_is_down"])
async def test_a_webhook_of_the_business_cluster_leaves_an_api_server_alive_that_cannot_write(
    api_server: ApiServer, is_open: bool
) -> None:
    with silent_port("127.0.0.1") as port, hanging(api_server, f"https://127.0.0.1:{port if is_open else free_port()}"):
        told, took = await refused(api_server)
    assert told.is_by_policy
    assert took < 10
    assert ("an admission webhook does not answer" if is_open else NAME) in told.why


async def test_so_does_a_policy_of_the_business_cluster_that_says_no(api_server: ApiServer) -> None:
    with forbidding(api_server):
        told, _ = await refused(api_server)
    assert told.is_by_policy
    assert f"ValidatingAdmissionPolicy '{NAME}'" in told.why


@pytest.mark.parametrize(
    ("error", "by_policy"),
    [
        (ApiError(403, "Forbidden", "admission control is denying all modifications"), False),
        (ApiError(403, "Forbidden", 'leases "homeostat-probe" is forbidden: exceeded quota: small'), True),
        (ApiError(500, "InternalError", 'admission webhook "policy.example" denied the request'), True),
        (ApiError(500, "InternalError", "etcdserver: mvcc: database space exceeded"), None),
        (TooManyRequests(429, "TooManyRequests", "please try again later"), None),
        (ServerTimeout(504, "Timeout", "request did not complete within the allotted timeout"), None),
        (TimedOut("no answer within 3 s"), None),
    ],
    ids=lambda each: str(each),
)
def test_what_says_no_is_told_from_what_fails(error: ApiError | TimedOut, by_policy: bool | None) -> None:
    told = refusal(error)
    assert (told and told.is_by_policy) == by_policy


async def test_an_endpoint_that_cannot_prove_itself_is_not_taken_for_the_clusters(api_server: ApiServer) -> None:
    with pytest.raises(Unreachable, match="does not prove that it is the server we want"):
        await PROBE.probe(kubeconfig(api_server, ca=Authority().certificate))


async def test_an_administrator_who_is_not_let_in_is_told(api_server: ApiServer) -> None:
    with pytest.raises(Unreachable, match=r"kube-system.*403 Forbidden"):
        await PROBE.probe(kubeconfig(api_server, user="nobody"))


async def test_a_port_at_which_nobody_listens_is_told(api_server: ApiServer) -> None:
    port = free_port()
    with pytest.raises(Unreachable, match=str(port)):
        await PROBE.probe(kubeconfig(api_server, url=f"https://127.0.0.1:{port}"))


async def test_garbage_is_no_kubeconfig_and_is_not_shown(api_server: ApiServer) -> None:
    with pytest.raises(Unreachable) as failure:
        await PROBE.probe(b"users: [{name: u, user: {token: very-secret}}]")
    assert "very-secret" not in str(failure.value)


def test_who_emulates_an_older_version_tells_both() -> None:
    told = ServerVersion(git_version="v1.35.4", major="1", minor="35", emulation_major="1", emulation_minor="35")
    assert served(told) == "v1.35.4"
    assert served(replace(told, emulation_minor="34")) == "v1.34.0+v1.35.4"
    assert served(ServerVersion(git_version="v1.31.2", major="1", minor="31")) == "v1.31.2"
