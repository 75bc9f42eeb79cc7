"""Tokens of service accounts: alike for one seed, and good for as long as they say and what they name is there."""

from __future__ import annotations

import random

import pytest
from tests.support.clock import ManualClock

from homeostat.sim.apiserver.access.tokens import BadToken, Tokens
from homeostat.sim.apiserver.store.record import record
from homeostat.sim.apiserver.store.store import Store

ACCOUNT = {"name": "bot", "uid": "u1"}
CLAIMS = {"aud": ["x"], "sub": "s", "kubernetes.io": {"namespace": "n", "serviceaccount": ACCOUNT}}


def store() -> Store:
    made = Store()
    made.put(("", "serviceaccounts"), record({"metadata": {"namespace": "n", **ACCOUNT}}, 0))
    return made


def test_one_seed_gives_one_token() -> None:
    made = [Tokens(store(), ManualClock(), random.Random(seed)).made(CLAIMS, 60) for seed in (1, 1, 2)]

    assert made[0] == made[1] != made[2]


def test_a_token_tells_whose_it_is_and_for_whom() -> None:
    tokens = Tokens(store(), ManualClock(), random.Random(0))

    user, audiences = tokens.user_of(tokens.made(CLAIMS, 60), ("x", "y"))

    assert (user.name, user.uid, audiences) == ("system:serviceaccount:n:bot", "u1", ("x",))
    assert user.groups == ("system:serviceaccounts", "system:serviceaccounts:n", "system:authenticated")


async def test_a_token_is_good_until_its_time_is_over() -> None:
    clock = ManualClock()
    tokens = Tokens(store(), clock, random.Random(0))
    token = tokens.made(CLAIMS, 600)
    await clock.advance(600)
    tokens.user_of(token, ("x",))
    await clock.advance(61)

    with pytest.raises(BadToken, match="expired"):
        tokens.user_of(token, ("x",))


@pytest.mark.parametrize("change", ["", "x", "audience", "account", "another server"])
def test_what_proves_nothing_is_no_user(change: str) -> None:
    there = store()
    tokens = Tokens(there, ManualClock(), random.Random(0))
    token, audiences = tokens.made(CLAIMS, 600), ("x",)
    if change in ("", "x"):
        token = f"{token[:-9]}{change}{token[-8:]}"
    if change == "audience":
        audiences = ("y",)
    if change == "account":
        there.drop(("", "serviceaccounts"), "n/bot")
    if change == "another server":
        tokens = Tokens(there, ManualClock(), random.Random(5))

    with pytest.raises(BadToken):
        tokens.user_of(token, audiences)
