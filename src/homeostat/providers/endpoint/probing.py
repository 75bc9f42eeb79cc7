"""The probe: TLS, client certificate, readiness, a read, a write, and the write coming back by a watch.

An API server whose port is open and whose readiness is well can still be of no use: when its way to etcd hangs, writes
do, and when its watch cache does, nobody hears of them. So a probe does all that clients need, in the order in which
it costs: what hangs early costs no more than that. It leaves one Lease of its own in kube-system.

A write that is refused by an answer comes from an API server that is alive, and that no restart would make kinder:
mostly a webhook, a policy or a quota of the business cluster says no, or cannot be asked. It is told by the words of
admission in Kubernetes. A webhook that does not answer has no words, so a write without an answer is tried once more
dry: that asks all of admission and writes nothing, and when it hangs as well, while the Lease can be read, it is not
the way to etcd that hangs.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import aclosing, suppress
from typing import Any

from msgspec import Struct

from homeostat.api.coordination import LEASE, Lease
from homeostat.api.core import NODE, SECRET
from homeostat.api.kind import Kind
from homeostat.api.meta import ObjectMeta
from homeostat.kit.clock import Clock
from homeostat.kit.pki.authority import Damaged
from homeostat.kit.random import Random
from homeostat.kube.client import Client, ServerVersion
from homeostat.kube.errors import ApiError, KubeError, NotFound, ServerTimeout, TimedOut, TooManyRequests
from homeostat.kube.retrying import NO_RETRIES
from homeostat.operators.cluster.ports import Direct, LeaderSeen, Refusal, Served, Unreachable
from homeostat.providers.endpoint.ways import Reach, Ways, over_tls
from homeostat.runtime.microtime import micro_time

PROBE_LEASE, PROBE_NAMESPACE = "homeostat-probe", "kube-system"
_TIMEOUT_S = 3.0  # of one request
_DRY_S = 2.0  # of a write that is tried dry
_WHOLE_S = 8.0  # of a probe
_KUBELETS_S = 30.0
_PAGE, _PAGE_S = 50, 30.0
# As k8s.io/apiserver words it in pkg/util/webhook, and in pkg/admission/plugin: webhook, policy, resourcequota.
_POLICIES = ("failed calling webhook", "admission webhook ", "AdmissionPolicy ", "exceeded quota")
_UNANSWERED = (TimedOut, ServerTimeout)


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

    def __init__(self, *, clock: Clock, random: Random, reach: Reach = over_tls) -> None:
        self._clock = clock
        self._random = random
        self._ways = Ways(clock=clock, reach=reach)

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

    def forget(self, kubeconfig: bytes) -> None:
        """Keep nothing of a cluster that is gone."""
        self._ways.forget(kubeconfig)

    async def _exchange(self, client: Client) -> Served:
        await client.request("GET", "/readyz")
        version = served(await client.version())
        leases = await client.list(LEASE, PROBE_NAMESPACE)
        refused = await self._write_and_hear(client, leases.resource_version)
        return Served(version, {lease.metadata.name: _leader(lease) for lease in leases.items}, refused)

    async def _write_and_hear(self, client: Client, since: str) -> Refusal | None:
        """Put a word that was never said into the Lease, and wait until a watch tells it, unless it is refused."""
        word = f"homeostat-{self._random.random():.16f}"
        spec = {"holderIdentity": word, "renewTime": micro_time(self._clock.now())}
        body = {"metadata": {"name": PROBE_LEASE, "namespace": PROBE_NAMESPACE}, "spec": spec}
        try:
            await client.apply(LEASE, body, force=True)
        except (ApiError, TimedOut) as error:
            return await _judge(client, body, error)
        only = f"metadata.name={PROBE_LEASE}"
        async with aclosing(client.watch(LEASE, PROBE_NAMESPACE, fields=only, resource_version=since)) as events:
            async for event in events:
                if event.object is not None and event.object.spec.holder_identity == word:
                    return None
        raise Unreachable("a watch ended without the event of a write that succeeded")

    def _connect(self, kubeconfig: bytes, direct: Direct | None = None) -> Client:
        way = self._ways.of(kubeconfig)
        server, name = (way.server, "") if direct is None else (direct.url, direct.name)
        return Client(
            way.dial(server, name),
            clock=self._clock,
            random=self._random,
            default_timeout_s=_TIMEOUT_S,
            retries=NO_RETRIES,
        )


async def _judge(client: Client, body: Mapping[str, Any], error: ApiError | TimedOut) -> Refusal:
    """Who refuses a write; raises the error when nobody does."""
    refused = refusal(error)
    if refused is None and isinstance(error, _UNANSWERED):
        with suppress(NotFound):
            await client.get(LEASE, PROBE_LEASE, PROBE_NAMESPACE)
        try:
            async with client.clock.timeout(_DRY_S):
                await client.apply(LEASE, body, force=True, dry_run=True)
        except (*_UNANSWERED, TimeoutError):
            hangs = f"an admission webhook does not answer: {error}; a dry run hangs as well, reads do not"
            refused = Refusal(hangs, is_by_policy=True)
        except ApiError as told:
            refused = refusal(told)
    if refused is None:
        raise error
    return refused


def refusal(error: ApiError | TimedOut) -> Refusal | None:
    """What an API server says no to; None: it does not say no, it failed, is too busy, or says nothing."""
    if isinstance(error, TimedOut):
        return None
    if any(word in error.message for word in _POLICIES):
        return Refusal(str(error), is_by_policy=True)
    is_no = 400 <= error.status < 500 and error.status != 408 and not isinstance(error, TooManyRequests)
    return Refusal(str(error), is_by_policy=False) if is_no else None


def _leader(lease: Lease) -> LeaderSeen:
    return LeaderSeen(lease.spec.holder_identity or "", lease.spec.renew_time)
