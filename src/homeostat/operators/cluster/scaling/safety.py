"""When a member of etcd may leave, by what etcd itself says. Asked when it is decided, and before it is done. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from homeostat.operators.cluster.ports import MemberSeen


def unsafe_to_retire(members: Iterable[MemberSeen], number: int) -> str:
    """Why a member cannot leave now; empty: all that remain are well and have a vote.

    The last but one must be well itself: the two must agree that one of them goes.
    """
    found = tuple(members)
    one = next((each for each in found if each.id == number), None)
    rest = [each for each in found if each.id != number]
    poor = sorted(each.name or each.host for each in rest if not each.is_well or each.is_learner)
    if not rest:
        return "it is the only one"
    if poor:
        return f"those that remain are not all well ({', '.join(poor)})"
    if one is not None and len(rest) == 1 and not one.is_well and not one.is_learner:
        return f"{one.name or one.host} does not answer, and {rest[0].name} alone is no majority of two"
    return ""
