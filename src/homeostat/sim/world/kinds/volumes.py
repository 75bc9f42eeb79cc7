"""Volumes, their claims and classes, as the scheduler and the controllers of a cluster read them."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from homeostat.api.kind import Kind, Resource
from homeostat.api.meta import ObjectMeta
from homeostat.sim.world.kinds.pods import NodeSelector, Selector

SELECTED = "volume.kubernetes.io/selected-node"
BOUND = "pv.kubernetes.io/bind-completed"
BY_CONTROLLER = "pv.kubernetes.io/bound-by-controller"
PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
PROVISIONERS = ("volume.kubernetes.io/storage-provisioner", "volume.beta.kubernetes.io/storage-provisioner")
DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
NO_PROVISIONER = "kubernetes.io/no-provisioner"


class VolumeResources(Struct, frozen=True, gc=False):
    """How much is asked for."""

    requests: dict[str, str] = {}


class ClaimSpec(Struct, frozen=True, gc=False, rename="camel"):
    """What volume is asked for. A class of None may become the default one; an empty one never does."""

    access_modes: tuple[str, ...] = ()
    resources: VolumeResources = VolumeResources()
    storage_class_name: str | None = None
    volume_name: str = ""
    volume_mode: str = "Filesystem"
    selector: Selector | None = None


class ClaimStatus(Struct, frozen=True, gc=False):
    """Pending, Bound or Lost."""

    phase: str = ""
    capacity: dict[str, str] = {}


class Claim(Struct, frozen=True, gc=False):
    """A PersistentVolumeClaim."""

    metadata: ObjectMeta
    spec: ClaimSpec = ClaimSpec()
    status: ClaimStatus = ClaimStatus()

    @property
    def is_bound(self) -> bool:
        """Whether it has a volume, and both sides know it."""
        return bool(self.spec.volume_name) and BOUND in self.metadata.annotations


class VolumeClaimReference(Struct, frozen=True, gc=False, rename="camel"):
    """The claim that a volume is, or is to be, bound to."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""

    @property
    def key(self) -> str:
        """The claim's key."""
        return f"{self.namespace}/{self.name}"


class VolumeNodeAffinity(Struct, frozen=True, gc=False):
    """From which Nodes a volume can be reached."""

    required: NodeSelector | None = None


class VolumeSpec(Struct, frozen=True, gc=False, rename="camel"):
    """What a volume is."""

    capacity: dict[str, str] = {}
    access_modes: tuple[str, ...] = ()
    storage_class_name: str = ""
    volume_mode: str = "Filesystem"
    claim_ref: VolumeClaimReference | None = None
    node_affinity: VolumeNodeAffinity | None = None
    persistent_volume_reclaim_policy: str = "Retain"


class VolumeStatus(Struct, frozen=True, gc=False):
    """Pending, Available, Bound, Released or Failed."""

    phase: str = ""


class PersistentVolume(Struct, frozen=True, gc=False):
    """A PersistentVolume."""

    metadata: ObjectMeta
    spec: VolumeSpec = VolumeSpec()
    status: VolumeStatus = VolumeStatus()


class StorageClass(Struct, frozen=True, gc=False, rename="camel"):
    """How volumes are made."""

    metadata: ObjectMeta
    provisioner: str = ""
    volume_binding_mode: str = "Immediate"
    reclaim_policy: str = "Delete"
    allowed_topologies: tuple[dict[str, Any], ...] = ()
    mount_options: tuple[str, ...] = ()

    @property
    def waits(self) -> bool:
        """Whether a volume is chosen only when it is known where its Pod will stand."""
        return self.volume_binding_mode == "WaitForFirstConsumer"


CLAIM = Kind(Resource("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims"), Claim)
VOLUME = Kind(Resource("", "v1", "PersistentVolume", "persistentvolumes", namespaced=False), PersistentVolume)
STORAGE_CLASS = Kind(Resource("storage.k8s.io", "v1", "StorageClass", "storageclasses", namespaced=False), StorageClass)
