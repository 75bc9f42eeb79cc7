"""Tokens of service accounts that a Pod mounts: asked for by its kubelet, bound to it, renewed before they end."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf
from urllib.parse import quote

import msgspec
from msgspec import Struct

from homeostat.kit.clock import Clock
from homeostat.kube.client import Client
from homeostat.sim.world.hosts.kubelet.spec import TokenSource, Volume, WholePod

_RENEWED_AFTER, _LONGEST_S = 0.8, 86400.0  # of its time, as kubelets do; and in any case after a day
_API = "authentication.k8s.io/v1"


class _Status(Struct, frozen=True):
    token: str


class _Granted(Struct, frozen=True):
    status: _Status


class Grants:
    """The tokens of one Pod."""

    def __init__(self, client: Client, clock: Clock, pod: WholePod) -> None:
        self._client = client
        self._clock = clock
        self._pod = pod
        self._due: dict[TokenSource, float] = {
            source: -inf for volume in pod.spec.volumes for source in tokens_of(volume)
        }
        self.tokens: dict[TokenSource, bytes] = {}

    @property
    def due(self) -> float:
        """When the next one is to be renewed."""
        return min(self._due.values(), default=inf)

    async def renew(self) -> None:
        """Have those that are missing or old. Raises KubeError."""
        now = self._clock.monotonic()
        for source in [each for each, at in self._due.items() if at <= now]:
            self.tokens[source] = await self._granted(source)
            self._due[source] = now + min(source.expiration_seconds * _RENEWED_AFTER, _LONGEST_S)

    async def _granted(self, source: TokenSource) -> bytes:
        meta, account = self._pod.metadata, self._pod.spec.service_account_name or "default"
        bound = {"apiVersion": "v1", "kind": "Pod", "name": meta.name, "uid": meta.uid}
        audiences = [source.audience] if source.audience else []
        spec = {"audiences": audiences, "expirationSeconds": source.expiration_seconds, "boundObjectRef": bound}
        body = msgspec.json.encode({"apiVersion": _API, "kind": "TokenRequest", "spec": spec})
        path = f"/api/v1/namespaces/{meta.namespace}/serviceaccounts/{quote(account)}/token"
        answer = await self._client.request("POST", path, headers={"Content-Type": "application/json"}, body=body)
        return msgspec.json.decode(answer, type=_Granted).status.token.encode()


def tokens_of(volume: Volume) -> Iterator[TokenSource]:
    """The tokens that a volume shows."""
    for source in volume.projected.sources if volume.projected is not None else ():
        if source.service_account_token is not None:
            yield source.service_account_token
