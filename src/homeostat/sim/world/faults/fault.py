"""What a fault is: a name, a sentence, parameters, and what it does to each of those that it is injected on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from msgspec import Struct

from homeostat.sim.world.hosts.ailing import Ail, End
from homeostat.sim.world.hosts.datacentre import DataCentre
from homeostat.sim.world.hosts.host import Host

Value = float | int | str
Kind = Literal["host", "image", "centre"]


class FaultError(ValueError):
    """A fault cannot be injected as asked; the message says what there is."""


class Parameter(Struct, frozen=True):
    """What can be said of a fault. Its default says of which type it is."""

    default: Value
    help: str


class Scene(Struct, frozen=True):
    """Where one fault happens: in a data centre, to a host (or to an image, or to all)."""

    centre: DataCentre
    target: str
    parameters: Mapping[str, Value]
    hosts: tuple[Host, ...] = ()

    @property
    def host(self) -> Host:
        """The only host."""
        (host,) = self.hosts
        return host

    def number(self, name: str) -> float:
        """A parameter that is a number."""
        return float(self.parameters[name])

    def text(self, name: str) -> str:
        """A parameter that is a text."""
        return str(self.parameters[name])

    def log(self, *lines: str) -> None:
        """Let the host's kernel say something."""
        for line in lines:
            self.host.log(line, self.centre.clock)


class Fault(Struct, frozen=True):
    """One row of the catalogue."""

    name: str
    what: str  # happens
    undone: str  # how it ends
    begin: Callable[[Scene], End]
    parameters: Mapping[str, Parameter] = {}
    on: Kind = "host"


def ailing(*ails: Ail, amount: str = "", says: tuple[str, ...] = ()) -> Callable[[Scene], End]:
    """A fault that is a state of its host for as long as it lasts, and maybe lines of its kernel's log."""

    def begin(scene: Scene) -> End:
        scene.log(*(line.format(**scene.parameters) for line in says))
        size = scene.number(amount) if amount else 1.0
        return together([scene.host.ailments.begin(ail, size) for ail in ails])

    return begin


def saying(*lines: str) -> Callable[[Scene], End]:
    """A fault of which there is nothing but what the kernel says of it."""

    def begin(scene: Scene) -> End:
        scene.log(*(line.format(**scene.parameters) for line in lines))
        return nothing

    return begin


def together(ends: list[End]) -> End:
    """All of them, in the order in which they began."""

    def end() -> None:
        for each in ends:
            each()

    return end


def nothing() -> None:
    """What has nothing to be undone."""


def checked(fault: Fault, given: Mapping[str, Any]) -> dict[str, Value]:
    """All parameters, given or not. Raises FaultError for those that it does not have, or of another type."""
    known = ", ".join(sorted(fault.parameters)) or "none"
    for name in given:
        if name not in fault.parameters:
            raise FaultError(f"{fault.name}: expected parameters among {known}, found {name!r}")
    return {name: _typed(fault, name, given.get(name, each.default)) for name, each in fault.parameters.items()}


def _typed(fault: Fault, name: str, value: Any) -> Value:
    """As what its default is; texts are read, as they come from command lines."""
    default = fault.parameters[name].default
    if isinstance(default, str):
        return str(value)
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise FaultError(f"{fault.name}: {name}: expected a number such as {default}, found {value!r}") from None
    return int(number) if isinstance(default, int) and number == int(number) else number
