"""The probe through the endpoint: TLS, client certificate, readiness and a read, as any client would."""

from __future__ import annotations

from homeostat.api.core import NAMESPACE
from homeostat.kit.clock import Clock
from homeostat.kit.pki.authority import Damaged
from homeostat.kit.random import Random
from homeostat.kube.connect import connect
from homeostat.kube.errors import KubeError
from homeostat.kube.retrying import Retries
from homeostat.operators.cluster.pki.kubeconfig import read_kubeconfig
from homeostat.operators.cluster.ports import Unreachable

_TIMEOUT_S = 3.0


class EndpointProbe:
    """Opens a connection of its own each time: a kept one would not notice that new clients cannot get in."""

    def __init__(self, *, clock: Clock, random: Random) -> None:
        self._clock = clock
        self._random = random

    async def probe(self, kubeconfig: bytes) -> str:
        """The version that answers. Raises Unreachable."""
        try:
            client = connect(
                read_kubeconfig(kubeconfig),
                clock=self._clock,
                random=self._random,
                default_timeout_s=_TIMEOUT_S,
                retries=Retries(attempts=1),
            )
            async with client:
                await client.request("GET", "/readyz")
                await client.get(NAMESPACE, "kube-system")
                return (await client.version()).git_version
        except (Damaged, KubeError) as error:
            raise Unreachable(str(error)) from error
