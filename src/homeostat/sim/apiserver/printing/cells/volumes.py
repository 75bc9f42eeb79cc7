"""Volumes, claims and classes of storage."""

from __future__ import annotations

from datetime import datetime

from homeostat.sim.apiserver.printing.cells.parts import UNSET, Cells, age_of, name_of, part
from homeostat.sim.apiserver.types.type import Value

_MODES = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}
_OLD_CLASS = "volume.beta.kubernetes.io/storage-class"
_DEFAULTS = ("storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class")


def volume(value: Value, now: datetime) -> Cells:
    """How large it is, and whose."""
    spec, status, claim = value["spec"], part(value, "status"), value["spec"].get("claimRef")
    whose = f"{claim.get('namespace', '')}/{claim.get('name', '')}" if claim else ""
    size, keeps = part(spec, "capacity").get("storage", "0"), spec.get("persistentVolumeReclaimPolicy", "")
    return [
        *(name_of(value), size, _modes(spec), keeps, _phase(value), whose, _class(value)),
        *(spec.get("volumeAttributesClassName", UNSET), status.get("reason", ""), age_of(value, now)),
        spec.get("volumeMode", UNSET),
    ]


def claim(value: Value, now: datetime) -> Cells:
    """Which volume it has, and how large that is."""
    spec, status, name = value["spec"], part(value, "status"), value["spec"].get("volumeName", "")
    size = part(status, "capacity").get("storage", "0") if name else ""
    return [
        *(name_of(value), _phase(value), name, size, _modes(status) if name else "", _class(value)),
        *(spec.get("volumeAttributesClassName", UNSET), age_of(value, now), spec.get("volumeMode", UNSET)),
    ]


def storage_class(value: Value, now: datetime) -> Cells:
    """Who makes its volumes, and when."""
    noted = part(value, "metadata", "annotations")
    is_default = any(noted.get(name) == "true" for name in _DEFAULTS)
    policies = (value.get("reclaimPolicy", "Delete"), value.get("volumeBindingMode", "Immediate"))
    name = f"{name_of(value)}{' (default)' if is_default else ''}"
    grows = bool(value.get("allowVolumeExpansion"))
    return [name, value.get("provisioner", ""), *policies, grows, age_of(value, now)]


def attachment(value: Value, now: datetime) -> Cells:
    """What is to be attached where, and whether it is."""
    spec = value["spec"]
    name, is_there = part(spec, "source").get("persistentVolumeName", ""), bool(part(value, "status").get("attached"))
    return [name_of(value), spec.get("attacher", ""), name, spec.get("nodeName", ""), is_there, age_of(value, now)]


def attributes_class(value: Value, now: datetime) -> Cells:
    """Whose attributes these are."""
    return [name_of(value), value.get("driverName", ""), age_of(value, now)]


def csi_node(value: Value, now: datetime) -> Cells:
    """How many drivers a host has."""
    return [name_of(value), len(value["spec"].get("drivers") or ()), age_of(value, now)]


def csi_driver(value: Value, now: datetime) -> Cells:
    """What a driver needs."""
    spec = value["spec"]
    asked = spec.get("tokenRequests")
    audiences = UNSET if asked is None else ",".join(each.get("audience", "") for each in asked)
    modes = ",".join(spec.get("volumeLifecycleModes") or ()) or "<none>"
    needs = [spec.get("attachRequired", True), spec.get("podInfoOnMount", False), spec.get("storageCapacity", False)]
    return [name_of(value), *needs, audiences, spec.get("requiresRepublish", False), modes, age_of(value, now)]


def _phase(value: Value) -> str:
    return "Terminating" if value["metadata"].get("deletionTimestamp") else part(value, "status").get("phase", "")


def _modes(holder: Value) -> str:
    found = holder.get("accessModes") or ()
    return ",".join(short for mode, short in _MODES.items() if mode in found)


def _class(value: Value) -> str:
    old = part(value, "metadata", "annotations").get(_OLD_CLASS)
    return str(old if old is not None else value["spec"].get("storageClassName", ""))
