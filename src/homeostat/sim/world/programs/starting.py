"""What programs have in common: which flags they know, where they stand, and how they say why they end."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from importlib.resources import files

import msgspec

from homeostat.kit.clock import Clock
from homeostat.kit.random import Random
from homeostat.sim.world.hosts.containers import Container
from homeostat.sim.world.network.network import Network

LOG = "/dev/termination-log"


class Ended(Exception):
    """A program ends by itself: with a code, and why."""

    def __init__(self, why: str, code: int = 1) -> None:
        super().__init__(why)
        self.code = code


class Surroundings(msgspec.Struct, frozen=True, eq=False):
    """What all programs of a world are given."""

    network: Network
    clock: Clock
    random: Random
    quickness: float = 1.0  # by what the times that programs take are multiplied


def version_of(container: Container) -> str:
    """The version of an image, by its tag, without a `v` before it."""
    return container.image.rpartition("/")[2].rpartition(":")[2].removeprefix("v").partition("@")[0]


def check_flags(container: Container, program: str, line: str, code: int = 1) -> None:
    """Raises Ended at the first flag that a program of this minor does not know, or whose value it cannot read."""
    known = _known(program, line)
    for part in container.command[1:]:
        name, equals, value = part.partition("=")
        if not name.startswith("--"):
            continue
        form = known.get(name.removeprefix("--").replace("_", "-"))
        if form is None:
            raise Ended(f"unknown flag: {name}", code)
        if equals and not _READS.get(form, _anything)(value):
            raise Ended(f'invalid argument "{value}" for "{name}" flag', code)


def tell_end(container: Container, error: Ended) -> int:
    """Leave the last words where the kubelet finds them; the exit code."""
    disk = container.disks.get(LOG)
    if disk is not None:
        disk.content["message"] = f"Error: {error}"
    return error.code


@functools.cache
def _captured() -> dict[str, dict[str, dict[str, str]]]:
    """As `--help` of the real programs lists them, by program and minor."""
    content = (files(__package__) / "data" / "flags.json").read_bytes()
    return msgspec.json.decode(content, type=dict[str, dict[str, dict[str, str]]])


@functools.cache
def _known(program: str, line: str) -> Mapping[str, str]:
    """The forms of all flags of a minor, by name; of one that was not captured, those of the last one."""
    found = _captured()[program]
    lines = [each for each in found if each != "all"]
    return {**found["all"], **found.get(line, found[max(lines)])}


def _is_number(value: str) -> bool:
    return value.removeprefix("-").isdigit()


def _is_float(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True


def _is_switch(value: str) -> bool:
    return value in ("1", "t", "T", "true", "TRUE", "True", "0", "f", "F", "false", "FALSE", "False")


def _is_duration(value: str) -> bool:
    return value == "0" or (bool(value) and value[-1] in "smh" and any(each.isdigit() for each in value))


def _anything(_: str) -> bool:
    return True


_READS = {
    "int": _is_number,
    "int32": _is_number,
    "float": _is_float,
    "float32": _is_float,
    "bool": _is_switch,
    "duration": _is_duration,
}
