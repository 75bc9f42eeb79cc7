"""Building programs with Go from a pinned module: one at a time, with the packages that are compiled as progress.

`-mod=readonly` and go.sum pin every source, `-trimpath` and an empty build id keep this machine out of the result, so
the same Go gives the same bytes everywhere. Go's own caches make the second program of a component much cheaper.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import signal
from collections import deque
from collections.abc import Awaitable, Callable
from pathlib import Path

from homeostat.kit.clock import Clock
from homeostat.local.binaries.components import Component, Program
from homeostat.local.binaries.disk import Need, clear_errors, require_space
from homeostat.local.binaries.errors import BinariesError, BuildFailed, NoSpace, Unwritable
from homeostat.local.binaries.go import PLACES, Toolchain
from homeostat.local.binaries.store import Store
from homeostat.local.steps import Report

# What debuggers read is stripped from the result anyway; not to generate it saves a tenth of the compiler's time.
FLAGS = ("-mod=readonly", "-trimpath", "-gcflags=all=-dwarf=false")
_TICK_S = 1.0
_SHOWN_LINES = 15
_FULL = ("no space left on device", "disk quota exceeded")
_REFUSED = ("permission denied", "read-only file system", "failed to initialize build cache")
_BUILD_S = 3600.0  # per program; a cold Kubernetes takes four minutes on two cores

Accept = Callable[[str, Path], Awaitable[None]]


def recipe(component: Component, directory: Path, arch: str) -> str:
    """The name of everything that determines a build except the Go: module, sums, flags, stamps, architecture."""
    digest = hashlib.sha256()
    packages = [f"{program.name}={program.package}" for program in component.programs]
    for text in (*FLAGS, component.ldflags, arch, *packages):
        digest.update(f"{text}\0".encode())
    for file in (directory / "go.mod", directory / "go.sum", *sorted(directory.glob("*.go"))):
        digest.update(file.read_bytes())
    return f"build-{digest.hexdigest()[:12]}"


def origin(recipe_name: str, go_version: str) -> str:
    """The directory of a recipe's build with a Go version; hexadecimal, because a dotted one looks like ours."""
    return f"{recipe_name}-{hashlib.sha256(go_version.encode()).hexdigest()[:6]}"


async def build(
    component: Component,
    directory: Path,
    go: Toolchain,
    place: str,
    store: Store,
    accept: Accept,
    progress: Report,
    *,
    clock: Clock,
) -> None:
    """Build what is missing of a component into the cache. Raises BinariesError; the lock is held."""
    missing = store.missing(component, place)
    require_space(f"building {component.label}", *_needs(component, go, store))
    for number, program in enumerate((one for one in component.programs if one.name in missing), 1):
        title = f"building {program.name} {component.version} ({number} of {len(missing)})"
        target = store.work / f"{component.label}-{program.name}.built"
        try:
            await _compile(component, program, directory, go, target, _Ticker(title, progress, clock))
            await accept(program.name, target)
            source = f"{go.version} build of {program.package} from engines/{component.engine}"
            await asyncio.to_thread(store.put, component, place, program.name, target, source)
        finally:
            target.unlink(missing_ok=True)


def _needs(component: Component, go: Toolchain, store: Store) -> tuple[Need, ...]:
    """What a cold build writes: the programs into our cache, the rest where Go keeps it."""
    space = component.space
    sizes = zip(PLACES, (space.objects, space.modules, space.work), strict=True)
    theirs = (Need(go.places[name], mib, name) for name, mib in sizes if name in go.places)
    return (Need(store.root, space.programs), *theirs)


class _Ticker:
    """Shows elapsed time and the number of packages that Go had to compile."""

    def __init__(self, title: str, progress: Report, clock: Clock) -> None:
        self._title, self._progress, self._clock = title, progress, clock
        self._began = clock.monotonic()
        self._packages = 0

    def compiled(self) -> None:
        """One more package."""
        self._packages += 1

    async def show(self) -> None:
        """Until cancelled."""
        while True:
            elapsed = self._clock.monotonic() - self._began
            self._progress.update(f"{self._title}: {elapsed:.0f} s, {self._packages} packages compiled")
            await self._clock.sleep(_TICK_S)

    async def wait(self, process: asyncio.subprocess.Process) -> None:
        """For the process to end. Raises TimeoutError."""
        async with self._clock.timeout(_BUILD_S):
            await process.wait()


async def _compile(
    component: Component, program: Program, directory: Path, go: Toolchain, target: Path, ticker: _Ticker
) -> None:
    words = (str(go.command), "build", "-v", *FLAGS, "-ldflags", component.ldflags, "-o", str(target), program.package)
    with clear_errors(f"building {program.name}"):
        process = await asyncio.create_subprocess_exec(
            *words,
            cwd=directory,
            env=go.environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            process_group=0,
        )
    said: deque[str] = deque(maxlen=_SHOWN_LINES)
    helpers = [asyncio.create_task(ticker.show()), asyncio.create_task(_read(process, said, ticker))]
    try:
        await ticker.wait(process)
        await helpers[1]
    except TimeoutError as error:
        raise BuildFailed(f"building {program.name}: did not end within {_BUILD_S:g} s and was stopped") from error
    finally:
        _end(process)
        helpers[0].cancel()
        await asyncio.gather(*helpers, return_exceptions=True)
        await process.wait()
    if process.returncode:
        raise _failure(program, directory, said)


def _end(process: asyncio.subprocess.Process) -> None:
    """Stop Go and its compilers where they still run."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):  # it may end between the look and the signal
            os.killpg(process.pid, signal.SIGKILL)


async def _read(process: asyncio.subprocess.Process, said: deque[str], ticker: _Ticker) -> None:
    if process.stderr is None:
        return
    async for line in process.stderr:
        text = line.decode(errors="replace").rstrip()
        if text.startswith("go: downloading "):
            continue
        if " " not in text and "/" in text:  # -v: a package's path, before it is compiled
            ticker.compiled()
        else:
            said.append(text)


def _failure(program: Program, directory: Path, said: deque[str]) -> BinariesError:
    text = "\n".join(said)
    if any(words in text for words in _FULL):
        return NoSpace(
            f"building {program.name}: the disk became full; free space or set GOCACHE, GOMODCACHE and XDG_CACHE_HOME "
            f"to a larger disk; what is finished stays. Go said:\n{text}"
        )
    if any(words in text for words in _REFUSED):
        return Unwritable(
            f"building {program.name}: Go may not write where it keeps things; mend that, or set GOCACHE, GOMODCACHE "
            f"and GOTMPDIR to directories that can be written. Go said:\n{text}"
        )
    return BuildFailed(
        f"building {program.name} in {directory}: Go failed; is the Go module proxy of this machine (go env GOPROXY) "
        f"reachable? Or give binaries with HOMEOSTAT_BINARIES_DIR. Go said:\n{text}"
    )
