"""Claims of volumes: what they must say, and that of it only the size may change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from homeostat.sim.apiserver.refusing import Cause
from homeostat.sim.apiserver.schemas.causes import forbidden, not_supported, required
from homeostat.sim.apiserver.store.store import Store
from homeostat.sim.apiserver.types.type import Strategy, Value

_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
# Put on by admission, and taken off by a controller when no Pod uses the claim.
_PROTECTION = "kubernetes.io/pvc-protection"
_CLASSES = ("storage.k8s.io", "storageclasses")
_DEFAULT = "storageclass.kubernetes.io/is-default-class"
_IMMUTABLE = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"


class ClaimStrategy(Strategy):
    """A claim waits until somebody binds it."""

    returns_deleted = True

    def __init__(self, store: Store) -> None:
        self._store = store

    def default(self, value: Value) -> None:
        """A file system."""
        value.setdefault("spec", {}).setdefault("volumeMode", "Filesystem")

    def on_create(self, value: Value) -> None:
        """Waiting, and protected while it is used."""
        value["status"] = {"phase": "Pending"}
        if value["spec"].get("storageClassName") is None:
            give_default_class(value["spec"], self._store)
        held = value["metadata"].setdefault("finalizers", [])
        if _PROTECTION not in held:
            held.append(_PROTECTION)

    def causes(self, value: Value, old: Value | None) -> Iterable[Cause]:
        """Of what it asks for, and of its changes."""
        spec = value.get("spec", {})
        yield from _of_modes(spec.get("accessModes") or ())
        if "storage" not in ((spec.get("resources") or {}).get("requests") or {}):
            yield required("spec.resources[storage]")
        if old is not None and _fixed(spec) != _fixed(_with_class(spec, old.get("spec", {}))):
            yield forbidden("spec", _IMMUTABLE)


def give_default_class(spec: Value, store: Store) -> None:
    """The newest of the default classes, as the plugin DefaultStorageClass gives it."""
    classes = (each.value(b"")["metadata"] for each in store.shelf(_CLASSES).within(""))
    found = [each for each in classes if (each.get("annotations") or {}).get(_DEFAULT) == "true"]
    if found:
        newest = max(found, key=lambda each: (each["creationTimestamp"], each["name"]))
        spec["storageClassName"] = newest["name"]


def _of_modes(modes: Iterable[str]) -> Iterator[Cause]:
    if not modes:
        yield required("spec.accessModes", "at least 1 access mode is required")
    for mode in modes:
        if mode not in _MODES:
            yield not_supported("spec.accessModes", mode, _MODES)


def _fixed(spec: Value) -> Value:
    # The controller that binds writes the volume's name.
    return {key: each for key, each in spec.items() if key not in ("resources", "volumeName")}


def _with_class(spec: Value, old: Value) -> Value:
    """A class may still come to a claim that has none."""
    is_given = old.get("storageClassName") is None and spec.get("storageClassName") is not None
    return {**old, "storageClassName": spec["storageClassName"]} if is_given else old
