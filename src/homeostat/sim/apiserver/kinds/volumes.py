"""Volumes and their classes.

Not judged: the sources of volumes themselves, and the terms of their affinity.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from homeostat.kit.clock import Clock
from homeostat.sim.apiserver.refusing import Cause
from homeostat.sim.apiserver.schemas.causes import forbidden, invalid, not_supported, required
from homeostat.sim.apiserver.types.metadata import IMMUTABLE, stamp
from homeostat.sim.apiserver.types.type import Strategy, Value

_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
_RECLAIMS = ("Delete", "Recycle", "Retain")
_BINDINGS = ("Immediate", "WaitForFirstConsumer")
_PROTECTION = "kubernetes.io/pv-protection"
_OWN = frozenset(
    {
        *("accessModes", "capacity", "claimRef", "mountOptions", "nodeAffinity", "persistentVolumeReclaimPolicy"),
        *("storageClassName", "volumeAttributesClassName", "volumeMode"),
    }
)
# Sources in the order in which they are judged: of two, the later one is too much.
_JUDGED = (
    *(
        "gcePersistentDisk",
        "awsElasticBlockStore",
        "hostPath",
        "glusterfs",
        "flocker",
        "nfs",
        "rbd",
        "quobyte",
        "cephfs",
    ),
    *("iscsi", "cinder", "fc", "azureFile", "vsphereVolume", "photonPersistentDisk", "portworxVolume", "azureDisk"),
    *("scaleIO", "local", "storageos", "csi"),
)
_SOURCE_FIXED = "spec.persistentvolumesource is immutable after creation"
_AFFINITY_FIXED = "field is immutable, except for updating from beta label to GA"


class VolumeStrategy(Strategy):
    """A volume remembers when its phase changed."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def default(self, value: Value) -> None:
        """A file system that is kept."""
        spec = value.setdefault("spec", {})
        spec.setdefault("persistentVolumeReclaimPolicy", "Retain")
        spec.setdefault("volumeMode", "Filesystem")
        if spec.get("hostPath") is not None:
            spec["hostPath"].setdefault("type", "")

    def on_create(self, value: Value) -> None:
        """Waiting, and protected while a claim has it."""
        value["status"] = {"phase": "Pending", "lastPhaseTransitionTime": stamp(self._clock.now())}
        held = value["metadata"].setdefault("finalizers", [])
        if _PROTECTION not in held:
            held.append(_PROTECTION)

    def on_status(self, value: Value, old: Value) -> None:
        """The moment of another phase."""
        status, before = value.get("status") or {}, old.get("status", {})
        if status.get("phase") != before.get("phase"):
            status["lastPhaseTransitionTime"] = stamp(self._clock.now())
        elif "lastPhaseTransitionTime" in before:
            status["lastPhaseTransitionTime"] = before["lastPhaseTransitionTime"]
        value["status"] = status

    def causes(self, value: Value, old: Value | None) -> Iterable[Cause]:
        """Of what it is, and of what of it may not change."""
        spec = value.get("spec", {})
        yield from _of_modes(spec.get("accessModes") or ())
        capacity = spec.get("capacity")
        if not capacity:
            yield required("spec.capacity")
        if set(capacity or ()) != {"storage"}:
            yield not_supported("spec.capacity", capacity, ("storage",))
        if spec.get("persistentVolumeReclaimPolicy") not in _RECLAIMS:
            policy = spec.get("persistentVolumeReclaimPolicy")
            yield not_supported("spec.persistentVolumeReclaimPolicy", policy, _RECLAIMS)
        sources = sorted((name for name in spec if name not in _OWN), key=_JUDGED.index)
        if not sources:
            yield required("spec", "must specify a volume type")
        for other in sources[1:]:
            yield forbidden(f"spec.{other}", "may not specify more than 1 volume type")
        if "local" in spec and not spec.get("nodeAffinity"):
            yield required("spec.nodeAffinity", "Local volume requires node affinity")
        if old is not None:
            yield from _of_change(spec, old.get("spec", {}))


class ClassStrategy(Strategy):
    """How volumes are made. A class stays as it is."""

    def default(self, value: Value) -> None:
        """Made at once, and deleted with their claims."""
        value.setdefault("reclaimPolicy", "Delete")
        value.setdefault("volumeBindingMode", "Immediate")

    def causes(self, value: Value, old: Value | None) -> Iterable[Cause]:
        """Of its words, and of any change."""
        if not value.get("provisioner"):
            yield required("provisioner")
        if value.get("reclaimPolicy") not in ("Delete", "Retain"):
            yield not_supported("reclaimPolicy", value.get("reclaimPolicy"), ("Delete", "Retain"))
        if value.get("volumeBindingMode") not in _BINDINGS:
            yield not_supported("volumeBindingMode", value.get("volumeBindingMode"), _BINDINGS)
        if old is not None:
            for name in ("parameters", "provisioner", "reclaimPolicy"):
                if value.get(name) != old.get(name):
                    yield forbidden(name, f"updates to {name} are forbidden.")
            if value.get("volumeBindingMode") != old.get("volumeBindingMode"):
                yield invalid("volumeBindingMode", value.get("volumeBindingMode"), IMMUTABLE)


def _of_modes(modes: Iterable[str]) -> Iterator[Cause]:
    if not modes:
        yield required("spec.accessModes")
    for mode in modes:
        if mode not in _MODES:
            yield not_supported("spec.accessModes", mode, _MODES)


def _of_change(spec: Value, old: Value) -> Iterator[Cause]:
    if _source(spec) != _source(old):
        yield forbidden("spec.persistentvolumesource", _SOURCE_FIXED)
    if spec.get("volumeMode") != old.get("volumeMode"):
        yield invalid("volumeMode", spec.get("volumeMode"), IMMUTABLE)
    if old.get("nodeAffinity") and spec.get("nodeAffinity") != old["nodeAffinity"]:
        yield invalid("nodeAffinity", spec.get("nodeAffinity"), _AFFINITY_FIXED)


def _source(spec: Value) -> Value:
    return {name: each for name, each in spec.items() if name not in _OWN}
