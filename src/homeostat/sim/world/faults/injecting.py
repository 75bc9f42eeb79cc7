"""Begins faults by name, on what is named: everything is judged before anything begins."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Protocol

from homeostat.sim.world.faults import disks, network, power, software
from homeostat.sim.world.faults.fault import Fault, FaultError, Scene, Value, checked, together
from homeostat.sim.world.hosts.ailing import End
from homeostat.sim.world.hosts.datacentre import DataCentre
from homeostat.sim.world.hosts.host import Host

CATALOGUE: Mapping[str, Fault] = {
    fault.name: fault for part in (power, disks, software, network) for fault in part.FAULTS
}
GROUPS = ("region", "zone", "rack", "switch", "model", "kernel")
ALL = "all"


class World(Protocol):
    """Where faults happen."""

    @property
    def centre(self) -> DataCentre:
        """Its hosts and images."""
        ...


class Injection:
    """A fault that was begun. `undo` ends it; again, nothing happens."""

    def __init__(self, what: Intent, end: End) -> None:
        self.what = what
        self._end: End | None = end

    @property
    def lasts(self) -> bool:
        """Whether there is anything left of it to undo."""
        return self._end is not None and not self._end.is_over

    def undo(self) -> None:
        """End it as its row of the catalogue says."""
        end, self._end = self._end, None
        if end is not None:
            end()

    def __repr__(self) -> str:
        """As a command line would have it."""
        return repr(self.what)


class Intent:
    """A fault with its parameters, and all scenes that it is to happen in: sound, and not begun."""

    def __init__(self, fault: Fault, on: str, parameters: Mapping[str, Value], scenes: list[Scene]) -> None:
        self.fault, self.on, self.parameters = fault, on, parameters
        self._scenes = scenes

    @property
    def targets(self) -> tuple[str, ...]:
        """The hosts, or the image, that it is about; nothing where it is about all of a data centre."""
        return tuple(scene.target for scene in self._scenes if scene.target)

    def begin(self) -> Injection:
        """Let it happen."""
        return Injection(self, together([self.fault.begin(scene) for scene in self._scenes]))

    def __repr__(self) -> str:
        """As a command line would have it."""
        return " ".join([self.fault.name, "on", self.on, *(f"{key}={each}" for key, each in self.parameters.items())])


def inject(world: World, fault: str, on: str = "", **parameters: Any) -> Injection:
    """Begin a fault on a host, on all hosts of a group (`rack=a-r1`, `zone=a`, `all`), or on an image.

    Raises FaultError, which says what there is: for a fault, a target or a parameter that there is not.
    """
    return intend(world, fault, on, parameters).begin()


def intend(world: World, fault: str, on: str, parameters: Mapping[str, Any]) -> Intent:
    """Find all that a fault is to happen to, and begin nothing yet. Raises FaultError, as `inject` does."""
    found = find(fault)
    values = checked(found, parameters)
    scenes = _scenes(world.centre, found, on, values)
    for scene in scenes:
        found.check(scene)
    return Intent(found, on or ALL, values, scenes)


def find(name: str) -> Fault:
    """The row of a name. Raises FaultError."""
    if name in CATALOGUE:
        return CATALOGUE[name]
    near = get_close_matches(name, CATALOGUE, n=1)
    known = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(sorted(CATALOGUE))}"
    raise FaultError(f"expected a fault of the catalogue, found {name!r}{known}", field="fault")


def _scenes(centre: DataCentre, fault: Fault, on: str, parameters: Mapping[str, Value]) -> list[Scene]:
    if fault.on == "host":
        return [Scene(centre, host.name, parameters, (host,)) for host in hosts_of(centre, fault.name, on)]
    if fault.on == "image" and not on:
        raise FaultError(f"{fault.name}: expected the name of an image to inject it on, found none", field="on")
    if fault.on == "centre" and on not in ("", ALL):
        raise FaultError(f"{fault.name}: expected no target, as it concerns all hosts, found {on!r}", field="on")
    return [Scene(centre, on if fault.on == "image" else "", parameters)]


def hosts_of(centre: DataCentre, fault: str, on: str) -> list[Host]:
    """The hosts that a target means. Raises FaultError when it means none."""
    if on == ALL:
        return list(centre.hosts.values())
    if on in centre.hosts:
        return [centre.hosts[on]]
    group, is_group, name = on.partition("=")
    if is_group and group in GROUPS:
        found = [host for host in centre.hosts.values() if getattr(host.plan, group) == name]
        if found:
            return found
        known = sorted({str(getattr(host.plan, group)) for host in centre.hosts.values()})
        raise FaultError(f"{fault}: expected a {group} among {_some(known)}, found {name!r}", field="on")
    near = get_close_matches(on, centre.hosts, n=1)
    meant = f"; did you mean {near[0]}?" if near else ""
    groups = ", ".join(f"{each}=NAME" for each in GROUPS)
    hosts = _some(sorted(centre.hosts))
    raise FaultError(f"{fault}: expected a host ({hosts}), {groups} or {ALL}, found {on!r}{meant}", field="on")


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "") if names else "none"
