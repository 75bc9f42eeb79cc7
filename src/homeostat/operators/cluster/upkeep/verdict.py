"""What is to be told of the stores of etcd: nothing, that one is nearly full, full, or that data is corrupt. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from homeostat.operators.cluster import words
from homeostat.operators.cluster.actions import Verdict
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.upkeep.sizes import largest, quota, shown, used
from homeostat.operators.cluster.upkeep.stores import CORRUPT, NO_SPACE, StoreSeen

_STEP = 5  # percent: a message that changed with every write would be told for ever


def judge(seen: Observed, near: float) -> tuple[Verdict | None, bool]:
    """The verdict, and whether clients are kept out by it."""
    store = largest(seen)
    if store is None or seen.upkeep.answer is None:
        return _as_before(seen)
    answer, deviating = seen.upkeep.answer, seen.upkeep.deviating
    if answer.has(CORRUPT) or deviating:
        return Verdict(words.ETCD_CORRUPT, corruption(seen)), True
    if answer.has(NO_SPACE):
        return Verdict(words.ETCD_NO_SPACE, _full(seen, store)), True
    if used(seen, store) >= near:
        share = int(used(seen, store) * 100) // _STEP * _STEP
        message = f"a store of etcd has more than {share} % of its quota of {shown(quota(seen, store))}"
        return Verdict(words.ETCD_NEAR_QUOTA, message), False
    return None, False


def _as_before(seen: Observed) -> tuple[Verdict | None, bool]:
    """Until a process that has just begun has looked, what the one before told is told on."""
    told = seen.cluster.status.etcd
    if told is None:
        return None, False
    if CORRUPT in told.alarms or told.deviating:
        return Verdict(words.ETCD_CORRUPT, corruption(seen)), True
    if NO_SPACE in told.alarms:
        return Verdict(words.ETCD_NO_SPACE, "etcd was full at the last look"), True
    return None, False


def corruption(seen: Observed) -> str:
    """What is wrong with data that is corrupt."""
    deviating = seen.upkeep.deviating
    if seen.upkeep.is_undecided:
        return f"members have different data, and no majority agrees: {names_of(seen, deviating)}"
    if deviating:
        return f"the data of {names_of(seen, deviating)} is not what the other members agree on"
    if seen.upkeep.answer is None:
        return "data of etcd was corrupt at the last look"
    return "etcd raised the alarm CORRUPT; which member is wrong is not known"


def _full(seen: Observed, store: StoreSeen) -> str:
    told = seen.cluster.status.etcd
    before = f", {shown(told.full_size_bytes)} when it was full" if told is not None and told.full_size_bytes else ""
    return (
        f"etcd takes no writes: its largest store has {shown(store.size)} of {shown(quota(seen, store))}{before}; "
        f"{shown(store.in_use)} hold data"
    )


def names_of(seen: Observed, hosts: Iterable[str]) -> str:
    """Members by name, for people."""
    return ", ".join(sorted(member_of(seen, host) for host in hosts))


def member_of(seen: Observed, host: str) -> str:
    """The member, and its Pod, at a host."""
    name = host.partition(".")[0]
    return name if seen.names.etcd_host(name) == host else host
