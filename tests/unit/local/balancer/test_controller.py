"""What the balancer leaves for whoever loads its file: a mark, after every change of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.scripted import Scripted

from homeostat.api.core import Service
from homeostat.kit.random import system_random
from homeostat.local.balancer.controller import Balancer
from homeostat.local.balancer.haproxy import MARK


def balancer(file: Path) -> Balancer:
    script = Scripted()
    return Balancer(script.client, pool="10.1.0.0/24", file=file, clock=script.clock, random=system_random())


async def test_a_mark_follows_every_change_of_the_file_and_no_other_pass(tmp_path: Path) -> None:
    one, mark = balancer(tmp_path / "haproxy.cfg"), tmp_path / MARK
    await one.reconcile((), ())
    assert mark.exists()
    mark.unlink()  # it was loaded
    await one.reconcile((), ())
    assert not mark.exists()
    (tmp_path / "haproxy.cfg").write_text("another")
    await one.reconcile((), ())
    assert mark.exists()


async def test_a_process_marks_the_file_that_one_before_it_may_have_died_over(tmp_path: Path) -> None:
    await balancer(tmp_path / "haproxy.cfg").reconcile((), ())
    (tmp_path / MARK).unlink()
    await balancer(tmp_path / "haproxy.cfg").reconcile((), ())
    assert (tmp_path / MARK).exists()


async def test_a_mark_that_could_not_be_made_is_made_by_the_next_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, services = balancer(tmp_path / "haproxy.cfg"), tuple[Service, ...]()

    def full(self: Path) -> None:
        raise OSError("no space")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "touch", full)
        with pytest.raises(OSError, match="no space"):
            await one.reconcile(services, ())
    await one.reconcile(services, ())
    assert (tmp_path / MARK).exists()
