"""Which rights each hosted operator shall have now. Pure.

While it moves from one package version to another, it has what either declares: its old Pods work until the new ones
do, and if those fail, they work on. One that goes has its rights until the move is complete.
"""

from __future__ import annotations

from homeostat.operators.cluster.components import operators
from homeostat.operators.cluster.hosting.rights import Wanted, digest, rights
from homeostat.operators.cluster.observe import Observed


def entitled(seen: Observed) -> Wanted:
    """The rights of all, by operator; of one that is hosted no longer, none."""
    there, before = operators(seen), seen.packages.get(seen.cluster.status.package_version)
    found = {}
    for name in sorted({*there, *leftovers(seen)}):
        parts = (before.spec.component(name) if before is not None else None, there.get(name))
        hosted = [part.hosted for part in parts if part is not None and part.hosted is not None]
        if hosted:
            found[name] = rights(name, dict.fromkeys(grant for each in hosted for grant in each.grants))
    return found


def leftovers(seen: Observed) -> tuple[str, ...]:
    """Operators of which something is left in the cell, and that are not to be there."""
    return tuple(each for each in in_cell(seen) if each not in operators(seen))


def in_cell(seen: Observed) -> tuple[str, ...]:
    """All operators of which something is in the cell, whether it shall be or not."""
    return tuple(sorted({seen.names.operator_of(name) for _, name in seen.live} - {""}))


def is_granted(seen: Observed, operator: str) -> bool:
    """Whether an operator is known to have the rights that it shall have now."""
    known = seen.rights
    if known is None or known.unreachable or operator in known.refused:
        return False
    return known.digest == digest(entitled(seen))
