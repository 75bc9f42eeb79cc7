"""The probe: TLS, client certificate, readiness, a read, a write, and the write coming back by a watch.

An API server whose port is open and whose readiness is well can still be of no use: when its way to etcd hangs, writes
do, and when its watch cache does, nobody hears of them. So a probe does all that clients need, in the order in which
it costs: what hangs early costs no more than that. It leaves one Lease of its own in kube-system.
"""

from __future__ import annotations

from contextlib import aclosing, suppress

from msgspec import Struct
from msgspec.structs import replace

from homeostat.api.coordination import LEASE, Lease
from homeostat.api.core import NODE, SECRET
from homeostat.api.kind import Kind
from homeostat.api.meta import ObjectMeta
from homeostat.kit.clock import Clock
from homeostat.kit.pki.authority import Damaged
from homeostat.kit.random import Random
from homeostat.kube.client import Client, ServerVersion
from homeostat.kube.connect import connect
from homeostat.kube.errors import KubeError, NotFound
from homeostat.kube.retrying import NO_RETRIES
from homeostat.operators.cluster.pki.kubeconfig import read_kubeconfig
from homeostat.operators.cluster.ports import Direct, LeaderSeen, Served, Unreachable
from homeostat.runtime.microtime import micro_time

PROBE_LEASE, PROBE_NAMESPACE = "homeostat-probe", "kube-system"
_TIMEOUT_S = 3.0  # of one request
_WHOLE_S = 8.0  # of a probe
_KUBELETS_S = 30.0
_PAGE, _PAGE_S = 50, 30.0


class _Named(Struct, frozen=True):
    """An object of which only the name matters; what it holds is not kept."""

    metadata: ObjectMeta


_SECRET = Kind(SECRET.resource, _Named)


def served(told: ServerVersion) -> str:
    """The version that a server behaves as: its own, or the minor that it emulates and, behind `+`, what it is."""
    emulated = (told.emulation_major, told.emulation_minor)
    if "" in emulated or emulated == (told.major, told.minor):
        return told.git_version
    return f"v{'.'.join(emulated)}.0+{told.git_version}"


class EndpointProbe:
    """Opens a connection of its own each time: a kept one would not notice that new clients cannot get in."""

    def __init__(self, *, clock: Clock, random: Random) -> None:
        self._clock = clock
        self._random = random

    async def probe(self, kubeconfig: bytes, direct: Direct | None = None) -> Served:
        """What the server told. Raises Unreachable."""
        try:
            async with self._connect(kubeconfig, direct) as client, self._clock.timeout(_WHOLE_S):
                return await self._exchange(client)
        except (Damaged, KubeError) as error:
            raise Unreachable(str(error)) from error
        except TimeoutError as error:
            raise Unreachable(f"a read, a write and a watch took more than {_WHOLE_S:g} s") from error

    async def kubelets(self, kubeconfig: bytes) -> frozenset[str]:
        """The versions of all Nodes' kubelets, page by page. Raises Unreachable."""
        try:
            async with self._connect(kubeconfig) as client, self._clock.timeout(_KUBELETS_S):
                found = await client.list(NODE)
        except (Damaged, KubeError, TimeoutError) as error:
            raise Unreachable(f"asking for the kubelets' versions: {error}") from error
        versions = (node.status.node_info.kubelet_version for node in found.items)
        return frozenset(version for version in versions if version)

    async def rewrite_secrets(self, kubeconfig: bytes, after: str) -> str:
        """Patch a page of Secrets with nothing: what is not encrypted with the first key is then stored anew.

        What comes in meanwhile need not be met: it is encrypted with the first key from the beginning. Raises
        Unreachable, also when the API server no longer knows where to go on.
        """
        try:
            async with self._connect(kubeconfig) as client, self._clock.timeout(_PAGE_S):
                page = await client.page(_SECRET, after=after, page_size=_PAGE)
                for each in page.items:
                    with suppress(NotFound):
                        await client.merge_patch(_SECRET, each.metadata.name, {}, each.metadata.namespace)
        except (Damaged, KubeError, TimeoutError) as error:
            raise Unreachable(f"writing Secrets anew: {error}") from error
        return page.continue_token

    async def _exchange(self, client: Client) -> Served:
        await client.request("GET", "/readyz")
        version = served(await client.version())
        leases = await client.list(LEASE, PROBE_NAMESPACE)
        await self._write_and_hear(client, leases.resource_version)
        return Served(version, {lease.metadata.name: _leader(lease) for lease in leases.items})

    async def _write_and_hear(self, client: Client, since: str) -> None:
        """Put a word that was never said into the Lease, and wait until a watch tells it."""
        word = f"homeostat-{self._random.random():.16f}"
        spec = {"holderIdentity": word, "renewTime": micro_time(self._clock.now())}
        body = {"metadata": {"name": PROBE_LEASE, "namespace": PROBE_NAMESPACE}, "spec": spec}
        await client.apply(LEASE, body, force=True)
        only = f"metadata.name={PROBE_LEASE}"
        async with aclosing(client.watch(LEASE, PROBE_NAMESPACE, fields=only, resource_version=since)) as events:
            async for event in events:
                if event.object is not None and event.object.spec.holder_identity == word:
                    return
        raise Unreachable("a watch ended without the event of a write that succeeded")

    def _connect(self, kubeconfig: bytes, direct: Direct | None = None) -> Client:
        config = read_kubeconfig(kubeconfig)
        if direct is not None:
            config = replace(config, server=direct.url, tls_server_name=direct.name)
        return connect(config, clock=self._clock, random=self._random, default_timeout_s=_TIMEOUT_S, retries=NO_RETRIES)


def _leader(lease: Lease) -> LeaderSeen:
    return LeaderSeen(lease.spec.holder_identity or "", lease.spec.renew_time)
