"""Ranges of loopback for simulated data centres: no two that run have one."""

from __future__ import annotations

import errno
import socket
from contextlib import ExitStack

import pytest

from homeostat.sim.standing import ranges
from homeostat.sim.standing.ranges import NoneFree, claimed


def test_two_data_centres_have_two_ranges_and_an_ended_one_has_none() -> None:
    with claimed() as one, claimed() as other:
        assert one != other
        assert one.startswith("127.")
        assert one.endswith(".0.0/16")
    with claimed() as again:
        assert again == one


def test_when_all_ranges_are_taken_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranges, "FIRST", 200)  # nobody else's
    monkeypatch.setattr(ranges, "RANGES", 2)
    with ExitStack() as taken:
        assert [taken.enter_context(claimed()) for _ in range(2)] == ["127.200.0.0/16", "127.201.0.0/16"]
        with pytest.raises(NoneFree, match=r"one of 2 ranges from 127.200.0.0/16 on to be free"), claimed():
            pass


def test_where_loopback_has_one_address_it_is_the_first_range(monkeypatch: pytest.MonkeyPatch) -> None:
    def bind(_: socket.socket, __: object) -> None:
        raise OSError(errno.EADDRNOTAVAIL, "no such address here")

    monkeypatch.setattr(socket.socket, "bind", bind)
    with claimed() as found:
        assert found == "127.64.0.0/16"
