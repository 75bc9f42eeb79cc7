"""Asking the sources in order until every component has all its programs.

Directory, cache, release, build: the first that has a component provides all of it. With everything in the cache this
takes no lock, no network and no Go.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from homeostat.kit.clock import Clock
from homeostat.local.binaries import build, directory, engines, go
from homeostat.local.binaries.checking import Memory, version_of
from homeostat.local.binaries.components import KUBERNETES_VERSIONS, Component, architecture, wanted
from homeostat.local.binaries.download import Absent, Fetcher, Unreachable
from homeostat.local.binaries.errors import BinariesError, NoToolchain, WrongVersion
from homeostat.local.binaries.release import Mirror, fetch
from homeostat.local.binaries.store import RELEASE, Store
from homeostat.local.paths import Paths
from homeostat.local.steps import Report

DIRECTORY_VARIABLE = "HOMEOSTAT_BINARIES_DIR"
MIRROR_VARIABLE = "HOMEOSTAT_MIRROR"


class Found(Struct, frozen=True):
    """A component and the directory that has all its programs."""

    component: Component
    directory: Path
    source: str  # for people


class BinarySet(Struct, frozen=True):
    """All programs of a data centre."""

    found: tuple[Found, ...]

    def path(self, name: str, version: str) -> Path:
        """A program of a version. Raises BinariesError when it was not asked for."""
        for one in self.found:
            if name in one.component.names and one.component.version == version:
                return one.directory / name
        there = sorted(one.component.version for one in self.found if name in one.component.names)
        raise BinariesError(f"{name}: expected version {version}, found {', '.join(there) or 'none'}")


async def ensure(
    paths: Paths,
    environment: Mapping[str, str],
    *,
    versions: tuple[str, ...] = KUBERNETES_VERSIONS,
    clock: Clock,
    progress: Report,
    arch: str = "",
) -> BinarySet:
    """Have all programs for these Kubernetes versions. Raises BinariesError."""
    search = _Search(paths, environment, arch or architecture(), clock, progress)
    async with search.fetcher:
        try:
            return BinarySet(tuple([await search.find(one) for one in wanted(versions, search.arch)]))
        finally:
            await asyncio.to_thread(search.memory.save)


class _Search:
    """One run through all components; remembers which hosts do not answer."""

    def __init__(self, paths: Paths, environment: Mapping[str, str], arch: str, clock: Clock, progress: Report) -> None:
        self.arch, self.fetcher = arch, Fetcher(clock)
        self.store = Store(paths.binaries)
        self.memory = Memory(paths.binaries / "versions.json")
        self._environment, self._clock, self._progress = environment, clock, progress
        self._mirror = Mirror(environment.get(MIRROR_VARIABLE, ""))

    async def find(self, component: Component) -> Found:
        """A component from the first source that has it."""
        if named := self._environment.get(DIRECTORY_VARIABLE):
            self._progress.update(f"looking for {component.label} in {named}")
            if place := await directory.find(component, Path(named), self.memory, self._clock):
                return Found(component, place, DIRECTORY_VARIABLE)
        if cached := await self._cached(component):
            return cached
        async with self.store.locked(self._clock, self._progress):
            return await self._cached(component) or await self._make(component)

    async def _cached(self, component: Component) -> Found | None:
        if not self.store.missing(component, RELEASE):
            return Found(component, self.store.directory(component, RELEASE), "release")
        recipe = build.recipe(component, engines.find(component.engine), self.arch)
        builds = self.store.builds(component, recipe)
        if not builds:
            return None
        place = await self._current(component, recipe, builds)
        return Found(component, self.store.directory(component, place), "build") if place else None

    async def _current(self, component: Component, recipe: str, builds: tuple[str, ...]) -> str:
        """The build by the Go of today; without a usable Go, any."""
        try:
            toolchain = await self._toolchain(component)
        except NoToolchain:
            return builds[-1]
        place = build.origin(recipe, toolchain.version)
        return place if place in builds else ""

    async def _make(self, component: Component) -> Found:
        async def accept(name: str, file: Path) -> None:
            program = next(one for one in component.programs if one.name == name)
            told = await version_of(program, file, Memory(), self._clock)
            if told != component.version:
                raise WrongVersion(f"{name}: expected {component.version}, the new file tells {told}; it was not kept")

        try:
            await fetch(component, self._mirror, self.store, self.fetcher, accept, self._progress)
            return Found(component, self.store.directory(component, RELEASE), "release")
        except (Absent, Unreachable) as error:
            no_release = str(error)
        self._progress.update(f"{component.label}: no release ({no_release}); building")
        try:
            place = await self._build(component, accept)
        except BinariesError as error:
            raise type(error)(
                f"{component.label}: no release to download ({no_release}), so it is built: {error}"
            ) from error
        return Found(component, self.store.directory(component, place), "build")

    async def _build(self, component: Component, accept: build.Accept) -> str:
        engine = engines.find(component.engine)
        toolchain = await self._toolchain(component)
        place = build.origin(build.recipe(component, engine, self.arch), toolchain.version)
        await build.build(component, engine, toolchain, place, self.store, accept, self._progress, clock=self._clock)
        return place

    async def _toolchain(self, component: Component) -> go.Toolchain:
        return await go.toolchain(engines.find(component.engine), self._environment, self.arch, clock=self._clock)
