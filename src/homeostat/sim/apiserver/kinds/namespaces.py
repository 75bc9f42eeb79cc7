"""Namespaces: held until somebody has emptied them, and known by their names as labels."""

from __future__ import annotations

from collections.abc import Mapping

from homeostat.sim.apiserver.types.type import Strategy, Value

# What every cluster begins with.
INITIAL = ("default", "kube-node-lease", "kube-public", "kube-system")
_NAME_LABEL = "kubernetes.io/metadata.name"
_HOLDER = "kubernetes"


class NamespaceStrategy(Strategy):
    """The namespace controller takes the holder out of `spec.finalizers` when nothing is left."""

    names = "label"

    def default(self, value: Value) -> None:
        """Its name is a label, too."""
        if value["metadata"].get("name"):
            _label(value)

    def on_create(self, value: Value) -> None:
        """Hold it."""
        holders = value.setdefault("spec", {}).setdefault("finalizers", [])
        if _HOLDER not in holders:
            holders.append(_HOLDER)
        value["status"] = {"phase": "Active"}

    def on_update(self, value: Value, old: Value) -> None:
        """What holds it is changed by its subresource alone."""
        value["spec"] = old.get("spec", {})

    def on_delete(self, value: Value) -> None:
        """Say so in its phase; it has as much time as its content takes."""
        value["metadata"].pop("deletionGracePeriodSeconds", None)
        value["status"] = {**value.get("status", {}), "phase": "Terminating"}

    def is_held(self, value: Value) -> bool:
        """Whether it may still have content."""
        return bool(value.get("spec", {}).get("finalizers"))

    def fields(self, value: Value) -> Mapping[str, str]:
        """By its phase."""
        return {"status.phase": value.get("status", {}).get("phase", "")}

    @property
    def selectable(self) -> tuple[str, ...]:
        """By its phase."""
        return ("status.phase",)


def _label(value: Value) -> None:
    metadata = value["metadata"]
    metadata["labels"] = {**(metadata.get("labels") or {}), _NAME_LABEL: metadata["name"]}
