"""Small commands and scripts of a shell, in simulated containers."""

from __future__ import annotations

import pytest

from homeostat.kit.clock import Clock
from homeostat.kit.random import Random
from homeostat.sim.time.running import run
from homeostat.sim.world.hosts.containers import Container, Disk, Endless
from homeostat.sim.world.programs.shell.running import shell

INDEX = {"JOB_COMPLETION_INDEX": "3"}
ODD = """
    # odd ones fail
    if [ $(expr ${JOB_COMPLETION_INDEX} % 2) -ne 0 ]; then
        exit 1
    else
        exit 0
    fi
"""
ONCE = """
    if [[ -r /data/foo ]]
    then
        exit 0
    else
        touch /data/foo
        exit 42
    fi
"""


def container(*command: str, disks: dict[str, Disk] | None = None) -> Container:
    def files(path: str) -> bytes:
        if path == "/etc/config":
            return b"here"
        raise FileNotFoundError(path)

    return Container(
        namespace="default",
        pod="p",
        uid="u",
        name="c",
        host="h",
        zone="z",
        address="100.64.0.1",
        image="busybox",
        command=command,
        environment=INDEX,
        files=files,
        disks=disks or {},
    )


def ended(*command: str, disks: dict[str, Disk] | None = None) -> tuple[int, float]:
    """The code with which it ends, and how long it took."""

    async def main(clock: Clock, _: Random) -> tuple[int, float]:
        start = shell(clock)[command[0].rpartition("/")[2]]
        program = start(container(*command, disks=disks), lambda: None)
        return await program.run(), clock.monotonic()

    return run(main, seed=1)


def script(text: str, disks: dict[str, Disk] | None = None) -> int:
    return ended("/bin/sh", "-c", text, disks=disks)[0]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("exit 7", 7),
        ("", 0),
        ("true", 0),
        ("false", 1),
        ("false; true", 0),
        ("false && exit 3", 1),
        ("false || exit 3", 3),
        ("! false && exit 4", 4),
        ("true; exit", 0),
        ("false\nexit", 1),
        (ODD, 1),
        ('test "$JOB_COMPLETION_INDEX" = 3', 0),
        ("test '$JOB_COMPLETION_INDEX' = 3", 1),
        ('test -z "$NOBODY" && test -n a', 0),
        ("[ 2 -gt 10 ]", 1),
        ("[ a -eq 1 ]", 2),
        ("[ -e /etc/config ]", 0),
        ('[ "$(cat /etc/config)" = here ]', 0),
        ("cat /nowhere", 1),
        ("if false; then exit 1; elif true; then exit 2; else exit 3; fi", 2),
        ("if false; then exit 1; fi", 0),
        ("until [ -e /tmp/a ]; do echo a > /tmp/a; done; exit 5", 5),
        ("echo -n a > /tmp/a; echo -n b >> /tmp/a; [ $(cat /tmp/a) = ab ]", 0),
        ("expr 7 / 2 > /tmp/a; [ $(cat /tmp/a) -eq 3 ]", 0),
    ],
)
def test_a_script_ends_as_a_shell_ends_it(text: str, code: int) -> None:
    assert script(text) == code


@pytest.mark.parametrize(
    "text",
    ["curl example.com", "a=b", "for i in 1 2; do true; done", "true | true", "echo `true`", "if true", "'", "ls *"],
)
def test_a_script_that_cannot_be_read_runs_for_ever_and_is_well(text: str) -> None:
    async def main(clock: Clock, _: Random) -> bool:
        return isinstance(shell(clock)["sh"](container("sh", "-c", text), lambda: None), Endless)

    assert run(main, seed=1)


def test_what_a_script_keeps_on_a_volume_is_there_for_the_next_one() -> None:
    disk = Disk()
    assert script(ONCE, {"/data": disk}) == 42
    assert script(ONCE, {"/data": disk}) == 0
    assert script(ONCE) == 42  # elsewhere it goes with the container


def test_last_words_are_told() -> None:
    disk = Disk()
    script("echo -n DONE > /dev/termination-log", {"/dev/termination-log": disk})
    assert disk.content["message"] == "DONE"


@pytest.mark.parametrize(
    ("command", "code", "seconds"),
    [
        (("sleep", "1h"), 0, 3600),
        (("/bin/false",), 1, 0),
        (("/bin/true",), 0, 0),
        (("sh", "-c", "sleep 5; exit 3"), 3, 5),
    ],
)
def test_a_command_takes_its_time(command: tuple[str, ...], code: int, seconds: float) -> None:
    assert ended(*command) == (code, seconds)


@pytest.mark.parametrize("name", ["sh", "/bin/bash", "busybox"])
def test_a_shell_to_which_nobody_types_ends(name: str) -> None:
    assert ended(name) == (0, 0)


def test_sleep_of_no_time_fails() -> None:
    assert ended("sleep", "long")[0] == 1
