"""The probe through the endpoint: TLS, client certificate, readiness and a read, as any client would."""

from __future__ import annotations

from homeostat.api.core import NAMESPACE, NODE
from homeostat.kit.clock import Clock
from homeostat.kit.pki.authority import Damaged
from homeostat.kit.random import Random
from homeostat.kube.client import Client
from homeostat.kube.connect import connect
from homeostat.kube.errors import KubeError
from homeostat.kube.retrying import Retries
from homeostat.operators.cluster.pki.kubeconfig import read_kubeconfig
from homeostat.operators.cluster.ports import Unreachable

_TIMEOUT_S = 3.0
_KUBELETS_S = 30.0


class EndpointProbe:
    """Opens a connection of its own each time: a kept one would not notice that new clients cannot get in."""

    def __init__(self, *, clock: Clock, random: Random) -> None:
        self._clock = clock
        self._random = random

    async def probe(self, kubeconfig: bytes) -> str:
        """The version that answers. Raises Unreachable."""
        try:
            async with self._connect(kubeconfig) as client:
                await client.request("GET", "/readyz")
                await client.get(NAMESPACE, "kube-system")
                return (await client.version()).git_version
        except (Damaged, KubeError) as error:
            raise Unreachable(str(error)) from error

    async def kubelets(self, kubeconfig: bytes) -> frozenset[str]:
        """The versions of all Nodes' kubelets, page by page. Raises Unreachable."""
        try:
            async with self._connect(kubeconfig) as client, self._clock.timeout(_KUBELETS_S):
                found = await client.list(NODE)
        except (Damaged, KubeError, TimeoutError) as error:
            raise Unreachable(f"asking for the kubelets' versions: {error}") from error
        versions = (node.status.node_info.kubelet_version for node in found.items)
        return frozenset(version for version in versions if version)

    def _connect(self, kubeconfig: bytes) -> Client:
        return connect(
            read_kubeconfig(kubeconfig),
            clock=self._clock,
            random=self._random,
            default_timeout_s=_TIMEOUT_S,
            retries=Retries(attempts=1),
        )
