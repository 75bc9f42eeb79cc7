"""Where the API server itself is reached: the Service `kubernetes`, and its one address in both forms of endpoints.

Each API server sees to it itself (`pkg/controlplane`); there is one here. What somebody changes is put back at once,
and not every ten seconds; of the Service, only that it is there.
"""

from __future__ import annotations

import ipaddress
from contextlib import suppress
from typing import Any

from homeostat.api.kind import unstructured
from homeostat.kube.client import Client
from homeostat.kube.errors import AlreadyExists, NotFound
from homeostat.runtime.manager import Manager
from homeostat.runtime.outcome import DONE, Outcome
from homeostat.sim.apiserver.kinds.services import RANGE
from homeostat.sim.world.controllers.endpoints.slicing import SERVICE_NAME
from homeostat.sim.world.controllers.loops import loop
from homeostat.sim.world.kinds.services import ENDPOINTS, SERVICE, SLICE

Object = dict[str, Any]
NAMESPACE, NAME = "default", "kubernetes"
_KINDS = tuple(unstructured(kind.resource) for kind in (SERVICE, ENDPOINTS, SLICE))
_LABELS = {"component": "apiserver", "provider": "kubernetes"}
_UNMIRRORED = "endpointslice.kubernetes.io/skip-mirror"


def add_entrance(manager: Manager, client: Client, address: str, port: int) -> None:
    """Tell at which address the API server is reached; one of loopback is not allowed in endpoints."""
    wanted = (_service(port), _endpoints(address, port), _slice(address, port))
    informers = [manager.informer(client, kind, namespace=NAMESPACE, fields=f"metadata.name={NAME}") for kind in _KINDS]

    async def reconcile(_: str) -> Outcome:
        for kind, informer, body in zip(_KINDS, informers, wanted, strict=True):
            found = informer.store.get(NAME, NAMESPACE)
            with suppress(AlreadyExists, NotFound):  # the change that came between wakes it
                if found is None:
                    await client.create(kind, body, NAMESPACE)
                elif change := _change(found, body):
                    await client.merge_patch(kind, NAME, change, NAMESPACE)
        return DONE

    made = loop(manager, "kubernetes-service-controller", reconcile)
    for informer in informers:
        made.watch(informer)
    made.queue.add(f"{NAMESPACE}/{NAME}")


def _change(found: Object, wanted: Object) -> Object:
    """What is to be put back; nothing of a Service."""
    change = {
        name: each for name, each in wanted.items() if name not in ("metadata", "spec") and found.get(name) != each
    }
    labels = {} if "spec" in wanted else wanted["metadata"]["labels"]
    if any(found["metadata"].get("labels", {}).get(name) != each for name, each in labels.items()):
        change["metadata"] = {"labels": labels}
    return change


def _service(port: int) -> Object:
    spec = {
        "type": "ClusterIP",
        "clusterIP": str(ipaddress.ip_network(RANGE)[1]),
        "ipFamilyPolicy": "SingleStack",
        "sessionAffinity": "None",
        "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": port}],
    }
    return {"metadata": {"name": NAME, "labels": _LABELS}, "spec": spec}


def _endpoints(address: str, port: int) -> Object:
    subset = {"addresses": [{"ip": address}], "ports": [{"name": "https", "port": port, "protocol": "TCP"}]}
    return {"metadata": {"name": NAME, "labels": {_UNMIRRORED: "true"}}, "subsets": [subset]}


def _slice(address: str, port: int) -> Object:
    return {
        "metadata": {"name": NAME, "labels": {SERVICE_NAME: NAME}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": [address], "conditions": {"ready": True}}],
        "ports": [{"name": "https", "port": port, "protocol": "TCP"}],
    }
