"""How full the stores of a cluster's etcd are, against what they may have. Pure."""

from __future__ import annotations

from homeostat.api.cluster.masters import ETCD
from homeostat.operators.cluster.components import made_of
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.upkeep.stores import StoreSeen

QUOTA_FLAG = "quota-backend-bytes"
_DEFAULT = 2 << 30  # etcd's own
_MIB = 1 << 20


def quota(seen: Observed, store: StoreSeen | None = None) -> int:
    """What a file may have: what the member says, else what it was started with."""
    if store is not None and store.quota:
        return store.quota
    component = made_of(seen).get(ETCD)
    declared = component.args.get(QUOTA_FLAG, "") if component is not None else ""
    return int(declared) if declared.isdecimal() and int(declared) else _DEFAULT


def used(seen: Observed, store: StoreSeen) -> float:
    """The share of its quota that a file has."""
    return store.size / quota(seen, store)


def largest(seen: Observed) -> StoreSeen | None:
    """The store that is the nearest to its quota; None while none is known."""
    return max(seen.upkeep.stores, key=lambda store: used(seen, store), default=None)


def shown(size: int) -> str:
    """A size as people read it."""
    return f"{size / _MIB:.1f} MiB"
