"""The Go toolchain of this machine: found, new enough for a module, and run with everything that matters pinned.

A module says which Go it needs. Where the installed one is older but can fetch a newer one (Go 1.21 and later), it is
asked to, unless the user set GOTOOLCHAIN.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from homeostat.kit.clock import Clock
from homeostat.local.binaries.engines import wanted_go
from homeostat.local.binaries.errors import NoToolchain
from homeostat.local.command import CommandError, run

_USUAL = Path("/usr/local/go/bin/go")
PLACES = ("GOCACHE", "GOMODCACHE", "GOTMPDIR")
_NO_MODULE = Path("/")
_FETCH_S = 300.0  # `go version` may download a toolchain
_OTHERS = "HOMEOSTAT_BINARIES_DIR or HOMEOSTAT_MIRROR"
_REMEDY = f"install Go from your distribution or go.dev, put it on PATH, or give binaries with {_OTHERS}"


class Toolchain(Struct, frozen=True):
    """A Go that can build a module."""

    command: Path
    version: str  # as Go writes it: go1.26.8
    environment: dict[str, str]
    places: dict[str, Path] = {}  # where it writes, by variable; see `with_places`


def find(environment: Mapping[str, str]) -> Path:
    """The go command. Raises NoToolchain."""
    found = shutil.which("go", path=environment.get("PATH", ""))
    if found is None and "PATH" in environment and _USUAL.is_file():
        found = str(_USUAL)
    if found is None:
        raise NoToolchain(
            f"go: expected it on PATH to build binaries that nothing else provides, found none; {_REMEDY}"
        )
    return Path(found)


class Go:
    """The Go of this machine for one run, asked once for its version where that does not depend on the module."""

    def __init__(self, environment: Mapping[str, str], arch: str, clock: Clock) -> None:
        self._environment, self._clock = environment, clock
        self._base = build_environment(environment, arch)
        self._installed: str | None = None

    async def toolchain(self, directory: Path) -> Toolchain:
        """The Go for the module in a directory. Raises NoToolchain."""
        command, wanted = find(self._environment), f"go{wanted_go(directory)}"
        # Go changes its version only for modules that want a newer one: outside of modules it tells the installed one.
        if self._installed is None:
            self._installed = await _ask(command, _NO_MODULE, self._base, self._clock)
        if _number(self._installed) >= _number(wanted):
            return Toolchain(command, self._installed, self._base)
        return await self._fetched(command, directory, wanted)

    async def with_places(self, toolchain: Toolchain) -> Toolchain:
        """The same with the places that it writes to. Raises NoToolchain."""
        try:
            told = await run(
                (toolchain.command, "env", *PLACES),
                clock=self._clock,
                timeout_s=_FETCH_S,
                env=toolchain.environment,
            )
        except CommandError as error:
            raise NoToolchain(f"{error}; correct the settings of Go, or give binaries with {_OTHERS}") from error
        lines = dict(zip(PLACES, told.stdout.splitlines(), strict=False))
        lines["GOTMPDIR"] = lines.get("GOTMPDIR") or self._environment.get("TMPDIR") or "/tmp"  # noqa: S108
        places = {name: Path(line) for name, line in lines.items() if line.startswith("/")}
        return msgspec.structs.replace(toolchain, places=places)

    async def _fetched(self, command: Path, directory: Path, wanted: str) -> Toolchain:
        is_fixed = "GOTOOLCHAIN" in self._environment
        for choice in (self._base,) if is_fixed else (self._base, {**self._base, "GOTOOLCHAIN": "auto"}):
            answer = await _ask(command, directory, choice, self._clock)
            if _number(answer) >= _number(wanted):
                return Toolchain(command, answer, choice)
        raise NoToolchain(
            f"{command}: expected {wanted} or newer for {directory}, found {self._installed}; "
            f"let it fetch one (GOTOOLCHAIN=auto, Go 1.21 or newer), or {_REMEDY}"
        )


def build_environment(environment: Mapping[str, str], arch: str) -> dict[str, str]:
    """The user's environment (caches, proxies) without what would change what is built."""
    kept = {name: value for name, value in environment.items() if not name.startswith(("CGO_", "GOEXPERIMENT"))}
    return {**kept, "CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false", "GOWORK": "off", "GOOS": "linux", "GOARCH": arch}


async def _ask(command: Path, directory: Path, environment: Mapping[str, str], clock: Clock) -> str:
    # -C is younger than the oldest Go that must be told to be too old; env(1) changes the directory for all.
    try:
        told = await run(("env", "-C", directory, command, "version"), clock=clock, timeout_s=_FETCH_S, env=environment)
    except CommandError as error:
        return str(error)
    found = re.search(r"\bgo\d[\w.]*", told.stdout)
    return found.group() if found else told.stdout.strip()


def _number(version: str) -> tuple[int, ...]:
    found = re.match(r"go(\d+)\.(\d+)(?:\.(\d+))?", version)
    return tuple(int(part or 0) for part in found.groups()) if found else ()
