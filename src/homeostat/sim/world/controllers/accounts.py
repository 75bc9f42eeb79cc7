"""Every namespace has a ServiceAccount `default`, and the certificates by which its Pods know the API server."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from homeostat.api.core import CONFIG_MAP, NAMESPACE, SERVICE_ACCOUNT, ConfigMap
from homeostat.api.meta import Object
from homeostat.kube.client import Client
from homeostat.kube.errors import AlreadyExists, ApiError, Conflict, NotFound
from homeostat.runtime.manager import Manager
from homeostat.runtime.outcome import DONE, Outcome
from homeostat.sim.world.controllers.loops import loop
from homeostat.sim.world.controllers.terminating import is_of_ending_namespace

DEFAULT, ROOT_CA = "default", "kube-root-ca.crt"
_EXPLAINS = "kubernetes.io/description"
_DESCRIPTION = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the"
    " internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes"
    " clusters."
)


def add_service_accounts(manager: Manager, client: Client) -> None:
    """Give each namespace its default account."""

    def body(namespace: str) -> dict[str, Any]:
        return {"metadata": {"name": DEFAULT, "namespace": namespace}}

    _keep_one(manager, client, "serviceaccount-controller", SERVICE_ACCOUNT, DEFAULT, body)


def add_root_certificates(manager: Manager, client: Client, bundle: str) -> None:
    """Publish the certificates of the API server in each namespace, and put back what somebody makes of them."""

    wanted = {"ca.crt": bundle}

    def body(namespace: str) -> dict[str, Any]:
        meta = {"name": ROOT_CA, "namespace": namespace, "annotations": {_EXPLAINS: _DESCRIPTION}}
        return {"metadata": meta, "data": wanted}

    def mended(found: ConfigMap) -> dict[str, Any] | None:
        if found.data == wanted and _EXPLAINS in found.metadata.annotations:
            return None
        meta = {"resourceVersion": found.metadata.resource_version, "annotations": {_EXPLAINS: _DESCRIPTION}}
        return {"metadata": meta, "data": {**dict.fromkeys(found.data), **wanted}}

    _keep_one(manager, client, "root-ca-certificate-publisher-controller", CONFIG_MAP, ROOT_CA, body, mended)


def _keep_one(
    manager: Manager,
    client: Client,
    controller: str,
    kind: Any,
    name: str,
    body: Callable[[str], dict[str, Any]],
    mended: Callable[[Any], dict[str, Any] | None] = lambda _: None,
) -> None:
    """One object of a name in each namespace that is not about to go; `mended` is what is to be patched in one."""
    namespaces = manager.informer(client, NAMESPACE)
    objects = manager.informer(client, kind, fields=f"metadata.name={name}")

    async def reconcile(namespace: str) -> Outcome:
        found, kept = namespaces.store.get(namespace), objects.store.get(name, namespace)
        if found is None or found.metadata.deletion_timestamp is not None:
            return DONE
        patch = mended(kept) if kept is not None else None
        try:
            if kept is None:
                await client.create(kind, body(namespace))
            elif patch is not None:
                await client.merge_patch(kind, name, patch, namespace)
        except (AlreadyExists, NotFound, Conflict):
            return DONE  # the change that came between wakes it
        except ApiError as error:
            if is_of_ending_namespace(error):
                return DONE
            raise
        return DONE

    def namespace_of(obj: Object) -> Iterable[str]:
        return (obj.metadata.namespace,)

    made = loop(manager, controller, reconcile)
    made.watch(namespaces, when=lambda old, new: old is None and new is not None)
    made.watch(objects, namespace_of, when=lambda _, new: new is None or mended(new) is not None)
