"""A member leaves only while all that remain are well and have a vote."""

from __future__ import annotations

import pytest
from tests.support.ailing import member

from homeostat.operators.cluster.ports import MemberSeen
from homeostat.operators.cluster.scaling.safety import unsafe_to_retire

LAST = 12  # etcd's number of the third member


@pytest.mark.parametrize(
    "members",
    [
        (member(0), member(1), member(2)),
        (member(0), member(1), member(2, is_well=False)),
        (member(0), member(2)),
        (member(0), member(2, is_well=False, is_learner=True)),
        (member(0), member(1)),
    ],
)
def test_it_may_leave_dead_or_alive_or_has_left_already(members: tuple[MemberSeen, ...]) -> None:
    assert unsafe_to_retire(members, LAST) == ""


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ((member(2),), "it is the only one"),
        ((member(0), member(1, is_well=False), member(2)), "those that remain are not all well (demo-etcd-1)"),
        ((member(0), member(1, is_learner=True), member(2)), "those that remain are not all well (demo-etcd-1)"),
        (
            (member(0), member(2, is_well=False)),
            "demo-etcd-2 does not answer, and demo-etcd-0 alone is no majority of two",
        ),
    ],
)
def test_it_stays_where_the_others_could_not_go_on_without_it(members: tuple[MemberSeen, ...], why: str) -> None:
    assert unsafe_to_retire(members, LAST) == why
