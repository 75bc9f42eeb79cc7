"""How an apply that would change what others own is refused: whose fields they are, and which."""

from __future__ import annotations

from homeostat.sim.apiserver.fields import paths
from homeostat.sim.apiserver.fields.entries import Manager
from homeostat.sim.apiserver.fields.ownership import Conflicts
from homeostat.sim.apiserver.fields.paths import Path
from homeostat.sim.apiserver.refusing import Cause, Refused


def refusal(conflicts: Conflicts) -> Refused:
    """The answer to the client: forcing, or leaving these fields out of what is applied, goes on from there."""
    pairs = conflicts.pairs()
    causes = [
        Cause("FieldManagerConflict", f"conflict with {manager.shown()}", paths.shown(path)) for manager, path in pairs
    ]
    return Refused(409, "Conflict", _message(pairs), causes=causes)


def _message(pairs: list[tuple[Manager, Path]]) -> str:
    if len(pairs) == 1:
        manager, path = pairs[0]
        return f"Apply failed with 1 conflict: conflict with {manager.shown()}: {paths.shown(path)}"
    lines: list[str] = []
    for manager in dict.fromkeys(manager for manager, _ in pairs):
        lines.append(f"conflicts with {manager.shown()}:")
        lines += [f"- {paths.shown(path)}" for owner, path in pairs if owner == manager]
    return f"Apply failed with {len(pairs)} conflicts: " + "\n".join(lines)
