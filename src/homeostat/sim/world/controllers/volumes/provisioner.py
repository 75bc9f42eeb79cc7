"""Makes volumes on hosts, and removes them when their claims let go: as local-path-provisioner does.

A class that waits for its first consumer gets a volume on the Node that the scheduler chose. One that does not gets a
volume that every Node reaches, which the add-on refuses: here it stands for storage over a network.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from homeostat.kube.client import Client
from homeostat.kube.errors import AlreadyExists, NotFound
from homeostat.runtime.controller import Controller
from homeostat.runtime.events import reference
from homeostat.runtime.manager import Manager
from homeostat.runtime.outcome import DONE, Outcome
from homeostat.sim.world.controllers.volumes.controller import LOCAL_PATH
from homeostat.sim.world.kinds.nodes import NODE
from homeostat.sim.world.kinds.volumes import (
    CLAIM,
    PROVISIONED_BY,
    PROVISIONERS,
    SELECTED,
    STORAGE_CLASS,
    VOLUME,
    Claim,
    PersistentVolume,
    StorageClass,
)

HOST = "kubernetes.io/hostname"
VOLUMES = "/var/lib/homeostat-volumes"
_VOLUME = "pv:"


def add_volume_provisioner(manager: Manager, client: Client, name: str = LOCAL_PATH) -> None:
    """Make the volumes that are asked of a provisioner."""
    _Provisioner(manager, client, name)


class _Provisioner:
    def __init__(self, manager: Manager, client: Client, name: str) -> None:
        self._client = client
        self._name = name
        self._recorder = manager.recorder(client, name)
        self._claims = manager.informer(client, CLAIM)
        self._volumes = manager.informer(client, VOLUME)
        self._classes = manager.informer(client, STORAGE_CLASS)
        self._nodes = manager.informer(client, NODE)
        loop: Controller[str] = Controller(
            f"provisioner {name}",
            self._reconcile,
            clock=manager.clock,
            random=manager.random,
            metrics=manager.metrics,
            workers=1,
        )
        loop.watch(self._claims, self._asked_of_us)
        loop.watch(self._volumes, self._made_by_us)
        loop.informers += [self._classes, self._nodes]
        manager.add(loop)

    def _asked_of_us(self, claim: Claim) -> Iterable[str]:
        asked = claim.metadata.annotations.get(PROVISIONERS[0]) == self._name
        return (claim.metadata.key,) if asked and not claim.spec.volume_name else ()

    def _made_by_us(self, volume: PersistentVolume) -> Iterable[str]:
        made = volume.metadata.annotations.get(PROVISIONED_BY) == self._name
        return (f"{_VOLUME}{volume.metadata.name}",) if made and volume.status.phase == "Released" else ()

    async def _reconcile(self, key: str) -> Outcome:
        if key.startswith(_VOLUME):
            await self._remove(key.removeprefix(_VOLUME))
            return DONE
        claim = self._claims.store.get(key)
        if claim is None or claim.spec.volume_name or claim.metadata.deletion_timestamp is not None:
            return DONE
        class_ = self._classes.store.get(claim.spec.storage_class_name or "")
        selected = claim.metadata.annotations.get(SELECTED, "")
        if class_ is None or (class_.waits and not selected):
            return DONE
        node = self._nodes.store.get(selected) if selected else None
        if selected and node is None:
            await self._give_back(claim, selected)
            return DONE
        await self._make(claim, class_, node.metadata.labels.get(HOST, selected) if node is not None else "", selected)
        return DONE

    async def _make(self, claim: Claim, class_: StorageClass, host: str, node: str) -> None:
        about = reference(CLAIM, claim)
        volume = volume_for(claim, class_, host, node, self._name)
        what = f'External provisioner is provisioning volume for claim "{claim.metadata.key}"'
        self._recorder.normal(about, "Provisioning", what)
        try:
            await self._client.create(VOLUME, volume)
        except AlreadyExists:
            return
        self._recorder.normal(about, "ProvisioningSucceeded", f"Successfully provisioned volume {_name(claim)}")

    async def _give_back(self, claim: Claim, node: str) -> None:
        """The Node is gone: let the scheduler choose another one."""
        why = f'failed to get target node: node "{node}" not found'
        self._recorder.warning(reference(CLAIM, claim), "ProvisioningFailed", why)
        meta = claim.metadata
        patch = {"metadata": {"annotations": {SELECTED: None}, "resourceVersion": meta.resource_version}}
        await self._client.merge_patch(CLAIM, meta.name, patch, meta.namespace)

    async def _remove(self, name: str) -> None:
        volume = self._volumes.store.get(name)
        if volume is None or volume.status.phase != "Released" or volume.metadata.deletion_timestamp is not None:
            return
        if volume.spec.persistent_volume_reclaim_policy != "Delete":
            return
        try:
            await self._client.delete(VOLUME, name, uid=volume.metadata.uid)
        except NotFound:
            return


def _name(claim: Claim) -> str:
    return f"pvc-{claim.metadata.uid}"


def volume_for(claim: Claim, class_: StorageClass, host: str, node: str, provisioner: str) -> dict[str, Any]:
    """The volume of a claim: a directory of its own, on a host if one was chosen."""
    meta, name = claim.metadata, _name(claim)
    annotations = {PROVISIONED_BY: provisioner}
    spec: dict[str, Any] = {
        "capacity": {"storage": claim.spec.resources.requests["storage"]},
        "accessModes": list(claim.spec.access_modes),
        "volumeMode": claim.spec.volume_mode,
        "storageClassName": class_.metadata.name,
        "persistentVolumeReclaimPolicy": class_.reclaim_policy,
        "hostPath": {"path": f"{VOLUMES}/{name}_{meta.namespace}_{meta.name}", "type": "DirectoryOrCreate"},
        "claimRef": {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "namespace": meta.namespace,
            "name": meta.name,
            "uid": meta.uid,
            "resourceVersion": meta.resource_version,
        },
    }
    if class_.mount_options:
        spec["mountOptions"] = list(class_.mount_options)
    if node:
        annotations["local.path.provisioner/selected-node"] = node
        here = {"key": HOST, "operator": "In", "values": [host]}
        spec["nodeAffinity"] = {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name, "annotations": annotations},
        "spec": spec,
    }
