"""The doctor names what is missing, and the exact remedy."""

from __future__ import annotations

import msgspec

from homeostat.local.doctor import COMMANDS, Machine, State, diagnose, failed

SOUND = Machine(
    platform="linux",
    is_root=True,
    capabilities=(1 << 41) - 1,
    commands={command.name: f"/usr/bin/{command.name}" for command in COMMANDS},
    filesystems=frozenset({"overlay", "ext4"}),
    memory_mib=16000,
    disk_mib={"cache": 50000, "state": 50000},
    cgroup="v1",
    toolchain="/usr/local/go/bin/go",
)


def but(**changes: object) -> Machine:
    return msgspec.structs.replace(SOUND, **changes)


def test_a_sound_machine_passes_every_check() -> None:
    assert {check.state for check in diagnose(SOUND)} == {State.OK}


def test_a_missing_command_names_its_package() -> None:
    commands = {name: path for name, path in SOUND.commands.items() if name != "runc"}
    (check,) = failed(diagnose(but(commands=commands)))
    assert check.name == "runc"
    assert "apt-get install runc" in check.remedy


def test_root_without_capabilities_is_told_which_are_missing() -> None:
    (check,) = failed(diagnose(but(capabilities=0)))
    assert "CAP_SYS_ADMIN" in check.found


def test_another_system_ends_the_list_at_once() -> None:
    (check,) = diagnose(but(platform="darwin"))
    assert check.state is State.FAILED


def test_little_memory_and_no_toolchain_are_warnings() -> None:
    checks = {check.name: check.state for check in diagnose(but(memory_mib=1000, toolchain=""))}
    assert (checks["memory"], checks["go"]) == (State.WARNING, State.WARNING)


def test_a_full_disk_fails_and_says_how_much_to_free() -> None:
    (check,) = failed(diagnose(but(disk_mib={"cache": 100, "state": 50000})))
    assert check.name == "disk for cache"
    assert "free 8092 MiB" in check.remedy


def test_everything_that_is_not_well_has_a_remedy() -> None:
    broken = Machine("linux", False, 0, {}, frozenset(), 0, {}, "", "")
    assert all(check.remedy for check in diagnose(broken) if check.state is not State.OK)
