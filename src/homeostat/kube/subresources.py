"""Scale, eviction, binding, tokens and logs: the subresources that have a shape of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from homeostat.api.kind import Kind, Resource
from homeostat.kube.calling import Caller, Query, decode, encode, named
from homeostat.kube.retrying import NO_RETRIES

_PODS = Resource("", "v1", "Pod", "pods")
_SERVICE_ACCOUNTS = Resource("", "v1", "ServiceAccount", "serviceaccounts")


class Scale(Struct, frozen=True, kw_only=True):
    """How many replicas something has and should have."""

    wanted: int
    present: int
    selector: str = ""
    resource_version: str = ""


class Token(Struct, frozen=True, kw_only=True, rename={"expires": "expirationTimestamp"}):
    """A bound service account token; shows itself without its value."""

    token: str
    expires: datetime | None = None

    def __repr__(self) -> str:
        return f"Token(<hidden>, expires={self.expires})"


class _ScaleSpec(Struct, frozen=True):
    replicas: int = 0


class _ScaleStatus(Struct, frozen=True):
    replicas: int = 0
    selector: str = ""


class _ScaleMeta(Struct, frozen=True, rename="camel"):
    resource_version: str = ""


class _ScaleAnswer(Struct):
    metadata: _ScaleMeta = _ScaleMeta()
    spec: _ScaleSpec = _ScaleSpec()
    status: _ScaleStatus = _ScaleStatus()


class _TokenAnswer(Struct):
    status: Token


class Subresources(Caller):
    """Verbs on parts of objects."""

    async def scale(self, kind: Kind[Any], name: str, namespace: str = "") -> Scale:
        """The scale of an object that can be scaled."""
        resource = kind.resource
        body = await self._call("get", "GET", resource, named(resource, name), namespace, "scale", idempotent=True)
        return _scale(body, f"get {resource.qualified}/scale {namespace}/{name}")

    async def set_scale(self, kind: Kind[Any], name: str, namespace: str, replicas: int) -> Scale:
        """Ask for a number of replicas."""
        resource = kind.resource
        body = await self._call(
            "patch",
            "PATCH",
            resource,
            named(resource, name),
            namespace,
            "scale",
            query=self._write_query(dry_run=False, field_manager=None),
            body=encode({"spec": {"replicas": replicas}}),
            content_type="application/merge-patch+json",
        )
        return _scale(body, f"patch {resource.qualified}/scale {namespace}/{name}")

    async def evict(
        self, name: str, namespace: str, *, grace_s: int | None = None, uid: str = "", dry_run: bool = False
    ) -> None:
        """Delete a Pod if its disruption budgets allow it now; raises TooManyRequests, at once, when they do not."""
        options: dict[str, Any] = {}
        if grace_s is not None:
            options["gracePeriodSeconds"] = grace_s
        if uid:
            options["preconditions"] = {"uid": uid}
        if dry_run:
            options["dryRun"] = ["All"]
        eviction = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": name, "namespace": namespace},
            "deleteOptions": options,
        }
        await self._call(
            "evict",
            "POST",
            _PODS,
            named(_PODS, name),
            namespace,
            "eviction",
            body=encode(eviction),
            retries=NO_RETRIES,
        )

    async def bind(self, pod: str, namespace: str, node: str, *, uid: str = "") -> None:
        """Assign a Pod to a node, as a scheduler does; raises Conflict when it is assigned already."""
        metadata = {"name": pod, "namespace": namespace}
        if uid:
            metadata["uid"] = uid
        binding = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": metadata,
            "target": {"apiVersion": "v1", "kind": "Node", "name": node},
        }
        await self._call("bind", "POST", _PODS, named(_PODS, pod), namespace, "binding", body=encode(binding))

    async def create_token(
        self, service_account: str, namespace: str, audiences: Sequence[str] = (), expiration_s: int = 3600
    ) -> Token:
        """A token for a service account; the server gives at least ten minutes and may shorten long ones."""
        request = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"audiences": list(audiences), "expirationSeconds": expiration_s},
        }
        name = named(_SERVICE_ACCOUNTS, service_account)
        body = await self._call("create", "POST", _SERVICE_ACCOUNTS, name, namespace, "token", body=encode(request))
        return decode(_TokenAnswer, body, f"create serviceaccounts/token {namespace}/{name}").status

    async def logs(
        self,
        pod: str,
        namespace: str,
        *,
        container: str = "",
        follow: bool = False,
        tail: int | None = None,
        previous: bool = False,
        since_s: int | None = None,
        timestamps: bool = False,
    ) -> AsyncIterator[bytes]:
        """A container's output in chunks as they come; `follow` waits for more until the container ends."""
        options = {
            "container": container,
            "follow": "true" if follow else "",
            "tailLines": "" if tail is None else str(tail),
            "previous": "true" if previous else "",
            "sinceSeconds": "" if since_s is None else str(since_s),
            "timestamps": "true" if timestamps else "",
        }
        query: Query = [(key, value) for key, value in options.items() if value]
        # A quiet container is not a dead connection: only TCP itself judges a followed log.
        idle_s = None if follow else self._timeout_s
        call = self._stream(
            "logs", _PODS, named(_PODS, pod), namespace, "log", query=query, idle_timeout_s=idle_s, retries=NO_RETRIES
        )
        response = await self._exchange.open(call)
        try:
            async for chunk in self._exchange.flow(call, response):
                yield chunk
        finally:
            await response.close()


def _scale(body: bytes, what: str) -> Scale:
    answer = decode(_ScaleAnswer, body, what)
    return Scale(
        wanted=answer.spec.replicas,
        present=answer.status.replicas,
        selector=answer.status.selector,
        resource_version=answer.metadata.resource_version,
    )
