"""Claims of volumes: what they must say, and that of it only the size may change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from homeostat.sim.apiserver.refusing import Cause
from homeostat.sim.apiserver.schemas.causes import forbidden, not_supported, required
from homeostat.sim.apiserver.types.type import Strategy, Value

_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
# Put on by admission, and taken off by a controller when no Pod uses the claim.
_PROTECTION = "kubernetes.io/pvc-protection"
_IMMUTABLE = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"


class ClaimStrategy(Strategy):
    """A claim waits until somebody binds it."""

    returns_deleted = True

    def default(self, value: Value) -> None:
        """A file system."""
        value.setdefault("spec", {}).setdefault("volumeMode", "Filesystem")

    def on_create(self, value: Value) -> None:
        """Waiting, and protected while it is used."""
        value["status"] = {"phase": "Pending"}
        held = value["metadata"].setdefault("finalizers", [])
        if _PROTECTION not in held:
            held.append(_PROTECTION)

    def causes(self, value: Value, old: Value | None) -> Iterable[Cause]:
        """Of what it asks for, and of its changes."""
        spec = value.get("spec", {})
        yield from _of_modes(spec.get("accessModes") or ())
        if "storage" not in ((spec.get("resources") or {}).get("requests") or {}):
            yield required("spec.resources[storage]")
        if old is not None and _fixed(spec) != _fixed(old.get("spec", {})):
            yield forbidden("spec", _IMMUTABLE)


def _of_modes(modes: Iterable[str]) -> Iterator[Cause]:
    if not modes:
        yield required("spec.accessModes", "at least 1 access mode is required")
    for mode in modes:
        if mode not in _MODES:
            yield not_supported("spec.accessModes", mode, _MODES)


def _fixed(spec: Value) -> Value:
    # The controller that binds writes the volume's name.
    return {key: each for key, each in spec.items() if key not in ("resources", "volumeName")}
