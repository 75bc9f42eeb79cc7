"""Writes roles and bindings of hosted operators into business clusters, as the administrator."""

from __future__ import annotations

from homeostat.api.rbac import RIGHTS
from homeostat.kit.clock import Clock
from homeostat.kit.pki.authority import Damaged
from homeostat.kit.random import Random
from homeostat.kube.client import Client
from homeostat.kube.connect import connect
from homeostat.kube.errors import KubeError, NotFound
from homeostat.kube.retrying import NO_RETRIES
from homeostat.operators.cluster.hosting.rights import HOSTED_LABEL, Right
from homeostat.operators.cluster.names import FIELD_MANAGER
from homeostat.operators.cluster.pki.kubeconfig import read_kubeconfig
from homeostat.operators.cluster.ports import Unreachable

_TIMEOUT_S = 5.0  # of one request
_WHOLE_S = 30.0


class BusinessRights:
    """Satisfies the operator's port `Rights`."""

    def __init__(self, *, clock: Clock, random: Random) -> None:
        self._clock = clock
        self._random = random

    async def grant(self, kubeconfig: bytes, operator: str, rights: tuple[Right, ...]) -> None:
        """Have these and no others. Raises Unreachable."""
        try:
            async with self._connect(kubeconfig) as client, self._clock.timeout(_WHOLE_S):
                await self._take_back(client, operator, rights)
                for right in rights:
                    await client.apply(right.kind, right.body, force=True)
        except (Damaged, KubeError) as error:
            raise Unreachable(f"granting {operator} its rights: {error}") from error
        except TimeoutError as error:
            raise Unreachable(f"granting {operator} its rights took more than {_WHOLE_S:g} s") from error

    async def _take_back(self, client: Client, operator: str, rights: tuple[Right, ...]) -> None:
        """What bears the operator's label and is not declared any more; bindings before roles."""
        wanted = {right.mark for right in rights}
        for kind in RIGHTS:
            for each in (await client.list(kind, labels=f"{HOSTED_LABEL}={operator}")).items:
                metadata = each.metadata
                if (kind.resource.kind, metadata.namespace, metadata.name) in wanted:
                    continue
                try:
                    await client.delete(kind, metadata.name, metadata.namespace, uid=metadata.uid)
                except NotFound:
                    continue

    def _connect(self, kubeconfig: bytes) -> Client:
        return connect(
            read_kubeconfig(kubeconfig),
            clock=self._clock,
            random=self._random,
            field_manager=FIELD_MANAGER,
            default_timeout_s=_TIMEOUT_S,
            retries=NO_RETRIES,
        )
