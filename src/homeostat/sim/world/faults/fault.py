"""What a fault is: a name, a sentence, parameters, and what it does to each of those that it is injected on."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from math import inf, isfinite
from typing import Any, Literal

from msgspec import Struct

from homeostat.sim.world.hosts.ailing import Ail, End
from homeostat.sim.world.hosts.datacentre import DataCentre
from homeostat.sim.world.hosts.host import Host

Value = float | int | str
Kind = Literal["host", "image", "centre"]
A_YEAR_S = 365 * 86_400.0  # longer than anything that people wait for, and short enough for every clock

NOTHING = End(lambda: None, lambda: False)  # of what is over as soon as it has happened


class FaultError(ValueError):
    """A fault cannot be injected as asked; the message says what there is.

    `field` is what was asked wrongly: `fault`, `on`, `for`, `id`, or a parameter as `parameters.times`.
    """

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.field = field


class Parameter(Struct, frozen=True):
    """What can be said of a fault. Its default says of which type it is."""

    default: Value
    help: str
    least: float = -inf
    most: float = inf
    choices: tuple[str, ...] = ()  # of a text; none: any that has its form
    form: str = ""  # of a text, for people
    pattern: str = ".*"

    @property
    def range(self) -> str:
        """What it may be, for people; empty for any text."""
        if isinstance(self.default, str):
            return " or ".join(self.choices) or self.form
        whole = "a whole number" if isinstance(self.default, int) else "a number"
        least = f" from {self.least:g}" if isfinite(self.least) else ""
        return whole + least + (f" to {self.most:g}" if isfinite(self.most) else "")


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


def anywhere(scene: Scene) -> None:
    """For what can always begin."""


class Fault(Struct, frozen=True):
    """One row of the catalogue."""

    name: str
    what: str  # happens
    undone: str  # how it ends
    begin: Callable[[Scene], End]
    parameters: Mapping[str, Parameter] = {}
    on: Kind = "host"
    check: Callable[[Scene], object] = anywhere  # raises FaultError; all are checked before one begins
    lasts: bool = True  # until it is undone; what does not is over when it has happened


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
        return NOTHING

    return begin


def together(ends: list[End]) -> End:
    """All of them, in the order in which they began."""

    def end() -> None:
        for each in ends:
            each()

    return End(end, lambda: not all(each.is_over for each in ends))


def checked(fault: Fault, given: Mapping[str, Any]) -> dict[str, Value]:
    """All parameters, given or not. Raises FaultError for those that it does not have, or of another type."""
    known = ", ".join(sorted(fault.parameters)) or "none"
    for name in given:
        if name not in fault.parameters:
            raise FaultError(
                f"{fault.name}: expected parameters among {known}, found {name!r}", field=f"parameters.{name}"
            )
    return {name: _typed(fault, name, given.get(name, each.default)) for name, each in fault.parameters.items()}


def _typed(fault: Fault, name: str, value: Any) -> Value:
    """As what its default is; texts are read, as they come from command lines."""
    parameter = fault.parameters[name]
    default = parameter.default

    def refuse(expected: str) -> FaultError:
        return FaultError(f"{fault.name}: {name}: expected {expected}, found {value!r}", field=f"parameters.{name}")

    if isinstance(default, str):
        is_one = value in parameter.choices if parameter.choices else re.fullmatch(parameter.pattern, str(value))
        if not is_one:
            raise refuse(parameter.range)
        return str(value)
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        raise refuse(f"{parameter.range} such as {default}") from None
    is_whole = isinstance(default, int)
    is_within = isfinite(number) and parameter.least <= number <= parameter.most
    if not is_within or (is_whole and number != int(number)):
        raise refuse(parameter.range)
    return int(number) if is_whole else number
