"""What the commands about a data centre of this machine share: finding it, showing steps, telling errors."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from homeostat.cli.exits import CliError, Exit
from homeostat.kit.clock import Clock, SystemClock
from homeostat.kit.random import system_random
from homeostat.local import datacentre
from homeostat.local.command import CommandError
from homeostat.local.datacentre import DataCentre
from homeostat.local.hosts.ports import HostError
from homeostat.local.paths import Paths
from homeostat.local.plan import PlanError
from homeostat.local.showing import LiveView, PlainView
from homeostat.local.state import StateError
from homeostat.local.steps import StepFailed, View

if TYPE_CHECKING:
    from homeostat.local.machine import MachineGround


def paths() -> Paths:
    """Where homeostat keeps things, by the environment."""
    return Paths.from_environment(os.environ)


def existing(name: str) -> DataCentre:
    """The data centre of a name. Raises CliError when there is none."""
    with errors():
        found = datacentre.find(paths(), name, clock=SystemClock(), random=system_random())
    if found is None:
        raise CliError(
            f"data centre {name}: there is none on this machine", Exit.NOT_FOUND, remedy="raise it with `homeostat up`"
        )
    return found


def make_ground(centre: DataCentre) -> MachineGround:
    """This machine's ground for a data centre."""
    from homeostat.local.machine import MachineGround

    return MachineGround(centre, os.environ, clock=SystemClock())


@contextlib.contextmanager
def view(clock: Clock) -> Iterator[View]:
    """A live table on a terminal, plain lines elsewhere; always on stderr."""
    if sys.stderr.isatty():
        from rich.console import Console

        with LiveView(Console(stderr=True), clock) as live:
            yield live
    else:
        yield PlainView(sys.stderr, clock)


@contextlib.contextmanager
def errors() -> Iterator[None]:
    """Errors of the local data centre as the command line tells them."""
    try:
        yield
    except PlanError as error:
        raise CliError(str(error), Exit.USAGE) from error
    except (StepFailed, StateError, CommandError, HostError) as error:
        raise CliError(str(error)) from error
