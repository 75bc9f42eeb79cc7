"""Lays what `homeostat up` needs beside the code into wheels: pinned Go modules, manifests and examples.

A checkout that is installed for development has them at its root, so only real wheels get copies.
"""

from __future__ import annotations

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

CARRIED = {
    "engines": "homeostat/local/engines",
    "deploy": "homeostat/manifests/deploy",
    "examples": "homeostat/manifests/examples",
}


class Carry(BuildHookInterface):  # type: ignore[type-arg]
    """Called by hatchling before each build."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the files to a standard wheel."""
        if version == "standard":
            build_data["force_include"].update({f"{self.root}/{source}": target for source, target in CARRIED.items()})
