"""Hosts are not starved by what else the machine does."""

from __future__ import annotations

from pathlib import Path

import pytest

from homeostat.local.hosts.weight import weigh_hosts


@pytest.mark.parametrize(
    ("where", "hosts", "weight"),
    [("cpu/homeostat/cpu.shares", 4, 4096), ("homeostat/cpu.weight", 3, 300), ("homeostat/cpu.weight", 200, 10_000)],
)
def test_all_hosts_weigh_as_many_programs_beside_them(tmp_path: Path, where: str, hosts: int, weight: int) -> None:
    file = tmp_path / where
    for number in range(hosts):
        (file.parent / f"demo-{number}").mkdir(parents=True)
    file.write_text("1")
    weigh_hosts(tmp_path)
    assert file.read_text() == str(weight)


def test_a_machine_without_such_groups_is_left_alone(tmp_path: Path) -> None:
    weigh_hosts(tmp_path)
    assert list(tmp_path.iterdir()) == []
