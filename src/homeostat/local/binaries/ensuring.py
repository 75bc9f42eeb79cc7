"""Asking the sources in order until every component has all its programs.

Directory, cache, release, build: the first that has a component provides all of it. With everything in the cache this
takes no lock, no network and no Go.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from homeostat.kit.clock import Clock
from homeostat.local.binaries import build, directory, engines, go, mirror
from homeostat.local.binaries.checking import Memory, version_of
from homeostat.local.binaries.components import (
    OFFERED_VERSIONS,
    Component,
    architecture,
    providing,
    tools,
    wanted,
)
from homeostat.local.binaries.disk import clear_errors
from homeostat.local.binaries.errors import BinariesError, NoToolchain, WrongVersion
from homeostat.local.binaries.store import RELEASE, Store
from homeostat.local.paths import Paths
from homeostat.local.steps import Report

if TYPE_CHECKING:
    from homeostat.local.binaries.download import Fetcher

DIRECTORY_VARIABLE = "HOMEOSTAT_BINARIES_DIR"


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
    versions: tuple[str, ...] = OFFERED_VERSIONS,
    clock: Clock,
    progress: Report,
    arch: str = "",
) -> BinarySet:
    """Have all programs for these Kubernetes versions. Raises BinariesError."""
    search = _Search(paths, environment, arch or architecture(), clock, progress)
    try:
        return BinarySet(tuple([await search.find(one) for one in wanted(versions, search.arch)]))
    finally:
        await search.close()


async def ensure_program(
    name: str,
    version: str,
    paths: Paths,
    environment: Mapping[str, str],
    *,
    clock: Clock,
    progress: Report,
    arch: str = "",
) -> Path:
    """Have one program (of a version, or the newest) with its component. Raises BinariesError, Unknown first of all."""
    search = _Search(paths, environment, arch or architecture(), clock, progress)
    component = providing(name, version, (*wanted(OFFERED_VERSIONS, search.arch), *tools()))
    try:
        return (await search.find(component)).directory / name
    finally:
        await search.close()


class _Search:
    """One run through all components; remembers which hosts do not answer."""

    def __init__(self, paths: Paths, environment: Mapping[str, str], arch: str, clock: Clock, progress: Report) -> None:
        self.arch = arch
        self._mirror = mirror.Mirror(environment.get(mirror.VARIABLE, ""))
        self._store = Store(paths.binaries)
        self._memory = Memory(paths.binaries / "versions.json")
        self._go = go.Go(environment, arch, clock)
        self._fetcher: Fetcher | None = None
        self._environment, self._clock, self._progress = environment, clock, progress

    async def find(self, component: Component) -> Found:
        """A component from the first source that has it."""
        if named := self._environment.get(DIRECTORY_VARIABLE):
            self._progress.update(f"looking for {component.label} in {named}")
            if place := await directory.find(component, Path(named), self._memory, self._clock):
                return Found(component, place, DIRECTORY_VARIABLE)
        if cached := await self._cached(component):
            return cached
        with clear_errors(component.label):
            async with self._store.locked(self._clock, self._progress):
                return await self._cached(component) or await self._make(component)

    async def close(self) -> None:
        """End connections and keep what was learned."""
        if self._fetcher is not None:
            await self._fetcher.close()
        await asyncio.to_thread(self._memory.save)

    async def _cached(self, component: Component) -> Found | None:
        if not self._store.missing(component, RELEASE):
            return Found(component, self._store.directory(component, RELEASE), "release")
        recipe = build.recipe(component, engines.find(component.engine), self.arch)
        builds = self._store.builds(component, recipe)
        if not builds:
            return None
        place = await self._current(component, recipe, builds)
        return Found(component, self._store.directory(component, place), "build") if place else None

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

        no_release = await self._why_no_release(component, accept)
        if not no_release:
            return Found(component, self._store.directory(component, RELEASE), "release")
        self._progress.update(f"{component.label}: no release ({no_release}); building")
        try:
            place = await self._build(component, accept)
        except BinariesError as error:
            raise type(error)(
                f"{component.label}: no release to download ({no_release}), so it is built: {error}"
            ) from error
        return Found(component, self._store.directory(component, place), "build")

    async def _why_no_release(self, component: Component, accept: build.Accept) -> str:
        """Download a component's release into the cache; empty when that went well."""
        # Imported here: loading an HTTP client takes longer than all else with a filled cache, which needs none.
        from homeostat.local.binaries import download, release

        self._fetcher = self._fetcher or download.Fetcher(self._clock)
        try:
            await release.fetch(component, self._mirror, self._store, self._fetcher, accept, self._progress)
        except (download.Absent, download.Unreachable) as error:
            return str(error)
        return ""

    async def _build(self, component: Component, accept: build.Accept) -> str:
        engine = engines.find(component.engine)
        toolchain = await self._go.with_places(await self._toolchain(component))
        place = build.origin(build.recipe(component, engine, self.arch), toolchain.version)
        await build.build(component, engine, toolchain, place, self._store, accept, self._progress, clock=self._clock)
        return place

    async def _toolchain(self, component: Component) -> go.Toolchain:
        return await self._go.toolchain(engines.find(component.engine))
