"""Lets go of claims whose end was asked for when no Pod uses them, and of volumes when no claim has them.

A Pod uses a claim as long as there is such a Pod and it has a Node, also when it has ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from homeostat.api.kind import Kind
from homeostat.api.meta import ObjectMeta
from homeostat.kube.client import Client
from homeostat.kube.errors import NotFound
from homeostat.runtime.manager import Manager
from homeostat.runtime.outcome import DONE, Outcome
from homeostat.sim.world.controllers.loops import loop
from homeostat.sim.world.kinds.pods import POD, Pod
from homeostat.sim.world.kinds.volumes import CLAIM, VOLUME

OF_CLAIM, OF_VOLUME = "kubernetes.io/pvc-protection", "kubernetes.io/pv-protection"
_USED_BY = "claims"


def claims_of(pod: Pod) -> Iterable[str]:
    """An index: the claims that a Pod uses."""
    if not pod.spec.node_name:
        return ()
    return [f"{pod.metadata.namespace}/{name}" for name in pod.claims()]


def add_volume_protection(manager: Manager, client: Client) -> None:
    """Keep what is in use."""
    claims, volumes = manager.informer(client, CLAIM), manager.informer(client, VOLUME)
    pods = manager.informer(client, POD, indexes={_USED_BY: claims_of})

    async def of_claim(key: str) -> Outcome:
        claim = claims.store.get(key)
        if claim is not None and not pods.store.keys_by_index(_USED_BY, key, 1)[0]:
            await _let_go(client, CLAIM, claim.metadata, OF_CLAIM)
        return DONE

    async def of_volume(key: str) -> Outcome:
        volume = volumes.store.get(key)
        if volume is not None and volume.status.phase != "Bound":
            await _let_go(client, VOLUME, volume.metadata, OF_VOLUME)
        return DONE

    of_claims = loop(manager, "pvc-protection-controller", of_claim)
    of_claims.watch(claims, when=lambda _, new: new is not None and new.metadata.deletion_timestamp is not None)
    of_claims.watch(pods, claims_of, when=lambda old, new: new is None or (old is None and new.is_over))
    of_volumes = loop(manager, "pv-protection-controller", of_volume)
    of_volumes.watch(volumes, when=lambda _, new: new is not None and new.metadata.deletion_timestamp is not None)


async def _let_go(client: Client, kind: Kind[Any], meta: ObjectMeta, finalizer: str) -> None:
    """Take a finalizer off what is to go."""
    if meta.deletion_timestamp is None or finalizer not in meta.finalizers:
        return
    try:
        await client.json_patch(kind, meta.name, without(meta.finalizers, finalizer, meta), meta.namespace)
    except NotFound:
        return


def without(finalizers: Sequence[str], finalizer: str, meta: ObjectMeta) -> list[dict[str, Any]]:
    """The patch that takes a finalizer out of the list that was seen, and of no other list."""
    return [
        {"op": "test", "path": "/metadata/uid", "value": meta.uid},
        {"op": "test", "path": "/metadata/finalizers", "value": list(finalizers)},
        {"op": "replace", "path": "/metadata/finalizers", "value": [each for each in finalizers if each != finalizer]},
    ]
