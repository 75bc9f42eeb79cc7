"""Whether a binary is what its place promises: it is run and asked for its version.

Answers are remembered by path, size and date, because asking all programs takes a second and nothing changes.
"""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

import msgspec
from msgspec import Struct

from homeostat.kit.clock import Clock
from homeostat.local.binaries.components import Component, Program
from homeostat.local.binaries.errors import WrongVersion
from homeostat.local.command import CommandError, run

_VERSION = re.compile(r"\d+\.\d+\.\d+(?:-(?:alpha|beta|rc)[\w.]*)?")
_ANSWER_S = 30.0


class Told(Struct, frozen=True):
    """What a file said, and the state in which it was asked."""

    state: str
    version: str


class Memory:
    """Versions that binaries told, kept in a file that may be lost; without a file, for as long as it lives."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._known = _read(file) if file else {}
        self._changed = False

    def recall(self, binary: Path) -> str:
        """What this very file told before; empty when it was not asked."""
        known = self._known.get(str(binary))
        return known.version if known and known.state == _state(binary) else ""

    def note(self, binary: Path, version: str) -> None:
        """Keep what a file told."""
        self._known[str(binary)] = Told(_state(binary), version)
        self._changed = True

    def save(self) -> None:
        """Write the file, if there is something new and it can be written: it only saves time."""
        if self._changed and self._file:
            with contextlib.suppress(OSError):
                self._file.parent.mkdir(parents=True, exist_ok=True)
                _replace(self._file, msgspec.json.encode({**_read(self._file), **self._known}))
            self._changed = False


async def version_of(program: Program, binary: Path, memory: Memory, clock: Clock) -> str:
    """The version that a binary tells. Raises WrongVersion when it does not run here."""
    if known := memory.recall(binary):
        return known
    try:
        told = await run((binary, *program.ask), clock=clock, timeout_s=_ANSWER_S)
    except (CommandError, OSError) as error:
        raise WrongVersion(
            f"{binary}: expected a program that tells its version when run with {' '.join(program.ask)}, "
            f"but it does not run here: {error}; replace it or remove it"
        ) from error
    version = version_in(told.stdout + told.stderr)
    memory.note(binary, version)
    return version


def version_in(text: str) -> str:
    """The version in what a program told; "none" without one."""
    found = _VERSION.search(text)
    return found.group() if found else "none"


async def check(component: Component, directory: Path, memory: Memory, clock: Clock) -> None:
    """Raise WrongVersion unless all programs of a component in a directory have its version."""
    for program in component.programs:
        binary = directory / program.name
        version = await version_of(program, binary, memory, clock)
        if version != component.version:
            raise WrongVersion(
                f"{binary}: expected version {component.version}, it tells {version}; replace it or remove it"
            )


def _state(binary: Path) -> str:
    state = binary.stat()
    return f"{state.st_size}:{state.st_mtime_ns}:{state.st_ino}"


def _read(file: Path) -> dict[str, Told]:
    try:
        return msgspec.json.decode(file.read_bytes(), type=dict[str, Told])
    except (OSError, msgspec.MsgspecError):
        return {}  # nothing was asked yet, or the file was cut short: all are asked anew


def _replace(file: Path, content: bytes) -> None:
    """Write a file at once, by a partial one of its own: others may do the same at the same time."""
    import tempfile  # here, because a filled cache writes nothing and should answer at once

    handle, name = tempfile.mkstemp(".partial", f".{file.name}.", file.parent)
    try:
        with os.fdopen(handle, "wb") as partial:
            partial.write(content)
        Path(name).replace(file)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
