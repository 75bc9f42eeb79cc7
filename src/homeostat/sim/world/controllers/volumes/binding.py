"""Which volume a claim gets, and what is to be written so that both know it. Pure.

A binding is four facts: the volume names the claim, the claim names the volume, and each says in its status that it is
bound. They are written in this order, so that whoever dies in between leaves something that can only be completed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from msgspec import Struct

from homeostat.sim.world.kinds.volumes import (
    BOUND,
    BY_CONTROLLER,
    NO_PROVISIONER,
    PROVISIONED_BY,
    PROVISIONERS,
    SELECTED,
    Claim,
    PersistentVolume,
    StorageClass,
)
from homeostat.sim.world.scheduler.filters.volumes import smallest

Object = dict[str, Any]


class Write(Struct, frozen=True):
    """One merge patch of the claim or the volume that is looked at."""

    on: Literal["claim", "volume"]
    patch: Object
    is_status: bool = False


class Told(Struct, frozen=True):
    """An Event about the claim or the volume that is looked at."""

    reason: str
    note: str
    is_warning: bool = False


class Found(Struct, frozen=True):
    """All that is known of a claim when it is looked at."""

    claim: Claim
    named: PersistentVolume | None = None  # the volume that the claim names, if it is there
    meant: tuple[PersistentVolume, ...] = ()  # volumes that name the claim
    free: tuple[PersistentVolume, ...] = ()  # volumes of its class that nobody has
    of_class: StorageClass | None = None
    default_class: str = ""


class Decision(Struct, frozen=True):
    """What is to be written, to which volume, and what is to be told."""

    writes: tuple[Write, ...] = ()
    volume: PersistentVolume | None = None
    told: Told | None = None


def decide(found: Found) -> Decision:
    """What a claim needs now."""
    claim = found.claim
    if claim.metadata.deletion_timestamp is not None and not claim.spec.volume_name:
        return Decision()
    if claim.is_bound:
        return _keep(found)
    if claim.spec.volume_name:
        volume = found.named
        if volume is None or not may_have(volume, claim):
            return Decision()
        return Decision(bind(volume, claim), volume)
    return _look(found)


def _look(found: Found) -> Decision:
    """A claim without a volume."""
    claim, class_ = found.claim, found.of_class
    waits = class_ is not None and class_.waits
    volume = next((each for each in found.meant if may_have(each, claim)), None)
    if volume is None and not waits:
        volume = smallest(claim, found.free, None, set())
    if volume is not None:
        return Decision(bind(volume, claim), volume)
    if claim.spec.storage_class_name is None and found.default_class:
        meta = {"resourceVersion": claim.metadata.resource_version}
        patch = {"metadata": meta, "spec": {"storageClassName": found.default_class}}
        return Decision((Write("claim", patch),))
    if waits and SELECTED not in claim.metadata.annotations:
        return Decision(told=Told("WaitForFirstConsumer", "waiting for first consumer to be created before binding"))
    if class_ is None:
        name = claim.spec.storage_class_name
        if name:
            note = f'storageclass.storage.k8s.io "{name}" not found'
            return Decision(told=Told("ProvisioningFailed", note, is_warning=True))
        note = "no persistent volumes available for this claim and no storage class is set"
        return Decision(told=Told("FailedBinding", note))
    if class_.provisioner == NO_PROVISIONER:
        return Decision(told=Told("FailedBinding", "no volume plugin matched name: kubernetes.io/no-provisioner"))
    return _ask_for_one(claim, class_.provisioner)


def _ask_for_one(claim: Claim, provisioner: str) -> Decision:
    """Let somebody make a volume."""
    note = (
        f"Waiting for a volume to be created either by the external provisioner '{provisioner}' or manually by the"
        " system administrator. If volume creation is delayed, please verify that the provisioner is running and"
        " correctly registered."
    )
    asked = dict.fromkeys(PROVISIONERS, provisioner)
    if all(claim.metadata.annotations.get(key) == provisioner for key in asked):
        return Decision(told=Told("ExternalProvisioning", note))
    meta = {"resourceVersion": claim.metadata.resource_version, "annotations": asked}
    return Decision((Write("claim", {"metadata": meta}),), told=Told("ExternalProvisioning", note))


def _keep(found: Found) -> Decision:
    """A claim that was bound: to the same volume for ever."""
    claim, volume = found.claim, found.named
    if volume is not None and may_have(volume, claim):
        return Decision(bind(volume, claim), volume)
    if claim.status.phase == "Lost":
        return Decision()
    lost = (Write("claim", {"status": {"phase": "Lost"}}, is_status=True),)
    if volume is None:
        note = "Bound claim has lost its PersistentVolume. Data on the volume is lost!"
        return Decision(lost, told=Told("ClaimLost", note, is_warning=True))
    note = "Two claims are bound to the same volume, this one is bound incorrectly"
    return Decision(lost, told=Told("ClaimMisbound", note, is_warning=True))


def may_have(volume: PersistentVolume, claim: Claim) -> bool:
    """Whether nobody else has a volume."""
    claimed_by = volume.spec.claim_ref
    if claimed_by is None:
        return True
    return claimed_by.key == claim.metadata.key and claimed_by.uid in ("", claim.metadata.uid)


def bind(volume: PersistentVolume, claim: Claim) -> tuple[Write, ...]:
    """What of the four facts is still to be written."""
    return (*_of_volume(volume, claim), *_of_claim(volume, claim))


def _of_volume(volume: PersistentVolume, claim: Claim) -> Iterable[Write]:
    of_claim, claimed_by = claim.metadata, volume.spec.claim_ref
    if claimed_by is None or claimed_by.uid != of_claim.uid:
        meta: Object = {"resourceVersion": volume.metadata.resource_version}
        if claimed_by is None:
            meta["annotations"] = {BY_CONTROLLER: "yes"}
        reference = {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "namespace": of_claim.namespace,
            "name": of_claim.name,
            "uid": of_claim.uid,
            "resourceVersion": of_claim.resource_version,
        }
        yield Write("volume", {"metadata": meta, "spec": {"claimRef": reference}})
    if volume.status.phase != "Bound":
        yield Write("volume", {"status": {"phase": "Bound"}}, is_status=True)


def _of_claim(volume: PersistentVolume, claim: Claim) -> Iterable[Write]:
    name = volume.metadata.name
    if claim.spec.volume_name != name or not claim.is_bound:
        annotations = {BOUND: "yes"}
        if claim.spec.volume_name != name:
            annotations[BY_CONTROLLER] = "yes"
        meta = {"resourceVersion": claim.metadata.resource_version, "annotations": annotations}
        yield Write("claim", {"metadata": meta, "spec": {"volumeName": name}})
    if claim.status.phase != "Bound" or claim.status.capacity != volume.spec.capacity:
        modes = list(volume.spec.access_modes)
        status = {"phase": "Bound", "accessModes": modes, "capacity": volume.spec.capacity}
        yield Write("claim", {"status": status}, is_status=True)


def decide_volume(volume: PersistentVolume, claim: Claim | None, provisioners: frozenset[str]) -> Decision:
    """What a volume's phase is to be; `claim` is the one that it names, if that is there."""
    claimed_by = volume.spec.claim_ref
    if claimed_by is None or not claimed_by.uid:
        return _phase(volume, "Available")
    if claim is not None and claim.metadata.uid == claimed_by.uid:
        is_bound = claim.spec.volume_name == volume.metadata.name
        return _phase(volume, "Bound") if is_bound else Decision()  # or it is on the way there
    if volume.status.phase == "Failed":
        return Decision()
    maker = volume.metadata.annotations.get(PROVISIONED_BY, "")
    if volume.spec.persistent_volume_reclaim_policy == "Delete" and maker not in provisioners:
        failed = _phase(volume, "Failed")
        note = "error getting deleter volume plugin for volume: no deletable volume plugin matched"
        return Decision(failed.writes, told=Told("VolumeFailedDelete", note, is_warning=True))
    return _phase(volume, "Released")


def _phase(volume: PersistentVolume, phase: str) -> Decision:
    if volume.status.phase == phase:
        return Decision()
    return Decision((Write("volume", {"status": {"phase": phase}}, is_status=True),))
