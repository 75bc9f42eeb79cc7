"""Writes roles and bindings of hosted operators into business clusters, as the administrator."""

from __future__ import annotations

from collections.abc import Mapping, Set
from contextlib import suppress

from homeostat.api.rbac import RIGHTS
from homeostat.kit.clock import Clock
from homeostat.kit.pki.authority import Damaged
from homeostat.kit.random import Random
from homeostat.kube.client import Client
from homeostat.kube.errors import BadRequest, Forbidden, Invalid, KubeError, NotFound
from homeostat.kube.retrying import NO_RETRIES
from homeostat.operators.cluster.hosting.rights import HOSTED_LABEL, Right, Wanted
from homeostat.operators.cluster.names import FIELD_MANAGER
from homeostat.operators.cluster.ports import Unreachable
from homeostat.providers.endpoint.ways import Reach, Ways, over_tls

_TIMEOUT_S = 5.0  # of one request
_WHOLE_S = 15.0


class BusinessRights:
    """Satisfies the operator's port `Rights`."""

    def __init__(self, *, clock: Clock, random: Random, reach: Reach = over_tls) -> None:
        self._clock = clock
        self._random = random
        self._reach = reach

    async def grant(self, kubeconfig: bytes, wanted: Wanted) -> Mapping[str, str]:
        """Have these and no others; what was refused, by operator. Raises Unreachable."""
        refused = dict[str, str]()
        try:
            async with self._connect(kubeconfig) as client, self._clock.timeout(_WHOLE_S):
                for operator, rights in wanted.items():
                    if why := await _refused(client, rights):
                        refused[operator] = why
                # What is too much goes last: nobody is without rights in between.
                await _sweep(client, {right.mark for rights in wanted.values() for right in rights})
        except (Damaged, KubeError) as error:
            raise Unreachable(f"granting rights to hosted operators: {error}") from error
        except TimeoutError as error:
            raise Unreachable(f"granting rights to hosted operators took more than {_WHOLE_S:g} s") from error
        return refused

    def _connect(self, kubeconfig: bytes) -> Client:
        way = Ways(clock=self._clock, reach=self._reach).of(kubeconfig)  # not kept: grants lie ten minutes apart
        return Client(
            way.dial(way.server, ""),
            clock=self._clock,
            random=self._random,
            field_manager=FIELD_MANAGER,
            default_timeout_s=_TIMEOUT_S,
            retries=NO_RETRIES,
        )


async def _refused(client: Client, rights: tuple[Right, ...]) -> str:
    """Apply all that can be; the first reason why one cannot. Raises KubeError where trying again may help."""
    first = ""
    for right in rights:
        try:
            await _put(client, right)
        except (BadRequest, Forbidden, Invalid, NotFound) as error:
            first = first or str(error)
    return first


async def _put(client: Client, right: Right) -> None:
    """A binding that others led to another role cannot be changed, only made anew."""
    try:
        await client.apply(right.kind, right.body, force=True)
    except Invalid:
        kind, namespace, name = right.mark
        if not kind.endswith("Binding"):
            raise
        with suppress(NotFound):
            await client.delete(right.kind, name, namespace)
        await client.apply(right.kind, right.body, force=True)


async def _sweep(client: Client, wanted: Set[tuple[str, str, str]]) -> None:
    """What bears the label of hosted operators and is not wanted; bindings before roles."""
    for kind in RIGHTS:
        for each in (await client.list(kind, labels=HOSTED_LABEL)).items:
            metadata = each.metadata
            if (kind.resource.kind, metadata.namespace, metadata.name) not in wanted:
                with suppress(NotFound):
                    await client.delete(kind, metadata.name, metadata.namespace, uid=metadata.uid)
