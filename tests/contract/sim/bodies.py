"""How cases of contracts write objects."""

from __future__ import annotations

from typing import Any

Body = dict[str, Any]


def of(kind: str, version: str = "v1", name: str = "one", **parts: Any) -> Body:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}, **parts}
