"""The probe of an endpoint, against a real API server: an answer, or why there is none, without secrets."""

from __future__ import annotations

import pytest
from tests.support.apiserver import ApiServer, free_port
from tests.support.certificates import Authority

from homeostat.kit.clock import SystemClock
from homeostat.kit.random import system_random
from homeostat.operators.cluster.pki.kubeconfig import write_kubeconfig
from homeostat.operators.cluster.ports import Unreachable
from homeostat.operators.cluster.probing import EndpointProbe

pytestmark = pytest.mark.real

PROBE = EndpointProbe(clock=SystemClock(), random=system_random())


def kubeconfig(server: ApiServer, *, url: str = "", ca: bytes = b"", user: str = "admin") -> bytes:
    """A kubeconfig as the operator's Secret holds it."""
    certificate, key = server.authority.user(user, "system:masters" if user == "admin" else "nobodies")
    trusted = ca or server.authority.certificate
    return write_kubeconfig(url or server.url, user, ca=trusted, certificate=certificate, key=key)


async def test_the_version_that_answers_is_told(api_server: ApiServer) -> None:
    assert (await PROBE.probe(kubeconfig(api_server))).startswith("v1.")


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
