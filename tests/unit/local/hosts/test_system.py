"""What a host's tools print, read."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from homeostat.local.hosts.system import lines_in, packages_in, processes_in, unit_in
from homeostat.operators.machine.ports import LogLine, PackageSeen, ProcessSeen, UnitSeen, UnitState


def test_packages_that_are_removed_or_half_installed_are_none_and_one_may_be_held() -> None:
    told = "ii \tbash\t5.2.15-2+b7\nhi \tkubelet\t1.35.4\nrc \tvim\t2:9.0\niU \thalf\t1\n"
    assert packages_in(told) == {"bash": PackageSeen("5.2.15-2+b7"), "kubelet": PackageSeen("1.35.4", is_held=True)}


@pytest.mark.parametrize(
    ("told", "seen"),
    [
        (("loaded", "active", "enabled"), UnitSeen(UnitState.ACTIVE, is_enabled=True)),
        (("loaded", "activating", "static"), UnitSeen(UnitState.CHANGING, is_enabled=False)),
        (("loaded", "failed", "disabled"), UnitSeen(UnitState.FAILED, is_enabled=False)),
        (("masked", "inactive", "masked"), UnitSeen(UnitState.INACTIVE, is_enabled=False, is_masked=True)),
        (("not-found", "inactive", ""), None),
    ],
)
def test_a_unit_is_what_systemd_says(told: tuple[str, str, str], seen: UnitSeen | None) -> None:
    assert unit_in("LoadState={}\nActiveState={}\nUnitFileState={}\n".format(*told)) == seen


def test_threads_of_the_kernel_are_no_processes_and_a_scope_is_no_unit() -> None:
    told = (
        "      1       0 root    init.scope      systemd\n"
        "      2       0 root    -               kthreadd\n"
        "      9       2 root    -               kworker/0:1\n"
        "    120       1 root    ssh.service     sshd\n"
        "    300     120 root    session-1.scope sh with spaces\n"
    )
    assert processes_in(told) == (
        ProcessSeen(1, "systemd", "root"),
        ProcessSeen(120, "sshd", "root", "ssh.service"),
        ProcessSeen(300, "sh with spaces", "root"),
    )


def test_where_the_kernel_is_not_seen_the_second_process_is_one_as_any_other() -> None:
    assert processes_in("2 1 root journal.service journald\n") == (
        ProcessSeen(2, "journald", "root", "journal.service"),
    )


def test_a_line_is_of_the_unit_that_it_is_about_and_may_be_no_text() -> None:
    told = (
        '{"__REALTIME_TIMESTAMP": "1767225600500000", "_SYSTEMD_UNIT": "init.scope", "UNIT": "a.service",'
        ' "MESSAGE": "Started a.service."}\n'
        '{"__REALTIME_TIMESTAMP": "1767225601000000", "_SYSTEMD_UNIT": "b.service", "MESSAGE": [104, 105]}\n'
        '{"__REALTIME_TIMESTAMP": "1767225602000000", "_TRANSPORT": "kernel", "MESSAGE": "oom"}\n'
    )
    assert lines_in(told) == (
        LogLine(datetime(2026, 1, 1, 0, 0, 0, 500_000, UTC), "a.service", "Started a.service."),
        LogLine(datetime(2026, 1, 1, 0, 0, 1, 0, UTC), "b.service", "hi"),
        LogLine(datetime(2026, 1, 1, 0, 0, 2, 0, UTC), "", "oom"),
    )
