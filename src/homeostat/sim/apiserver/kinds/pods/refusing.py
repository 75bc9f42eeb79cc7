"""How admission says no to a Pod."""

from __future__ import annotations

from homeostat.sim.apiserver.refusing import Refused
from homeostat.sim.apiserver.types.type import Value


def forbidden(value: Value, why: str) -> Refused:
    """A Pod that may not be, whatever it looks like."""
    name = value["metadata"].get("name", "")
    return Refused(403, "Forbidden", f'pods "{name}" is forbidden: {why}', kind="pods", name=name)
