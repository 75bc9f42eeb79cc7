"""What `up`, `down`, `status` and `logs` do where the data centre is a simulated one."""

from __future__ import annotations

import os
import shutil
import sys

import click

from homeostat.cli.exits import CliError, Exit
from homeostat.local.paths import Paths
from homeostat.local.plan import PlanError, check_name
from homeostat.local.state import FILE as OF_REAL_HOSTS
from homeostat.sim.standing.asking import Look, NotReached, ask
from homeostat.sim.standing.place import Place, Reached
from homeostat.sim.standing.process import StartFailed, end, start
from homeostat.sim.world.faults.keeping import Entry

HOSTS, _SHOWN = 6, 30
_MAIN = "from homeostat.cli.main import main; main()"
_SERVES_WITHIN_S, _ENDS_WITHIN_S = 60.0, 15.0


def place_of(name: str) -> Place:
    """Where a simulated data centre of a name is, or would be. Raises CliError for what can be no name."""
    try:
        check_name(name)
    except PlanError as error:
        raise CliError(str(error), Exit.USAGE) from error
    return Place(Paths.from_environment(os.environ).data_centre(name))


def running(name: str) -> Place:
    """Where a simulated data centre of a name runs. Raises CliError where none does."""
    place = place_of(name)
    if place.reached() is not None:
        return place
    option = "" if name == "homeostat" else f" --name {name}"
    if (place.directory / OF_REAL_HOSTS).exists():
        raise CliError(
            f"--name: expected a simulated data centre, found {name}, which is one of real hosts",
            Exit.USAGE,
            remedy="raise a simulated one beside it with `homeostat up --engine sim --name NAME`",
        )
    what = "its process has ended" if place.is_used() else "there is none on this machine"
    raise CliError(
        f"simulated data centre {name}: {what}",
        Exit.NOT_FOUND,
        remedy=f"raise it with `homeostat up --engine sim{option}`",
    )


def refuse_other_engine(name: str) -> None:
    """Two worlds cannot have one name. Raises CliError where a simulated data centre has it."""
    place = place_of(name)
    if place.is_used():
        raise CliError(
            f"data centre {name} is a simulated one",
            Exit.USAGE,
            remedy=f"remove it with `homeostat down --name {name}`, or choose another --name",
        )


def refuse_parts(name: str, part: str | None) -> None:
    """A simulated data centre has one log. Raises CliError that says where."""
    asked = f"{part}: " if part else ""
    raise CliError(
        f"{asked}a simulated data centre has no parts with logs of their own",
        Exit.NOT_FOUND,
        remedy=f"all of it is one process, which writes {place_of(name).log}",
    )


def up(name: str, hosts: int | None, *, dry_run: bool) -> None:
    """Let a simulated data centre of a name run, and say how to reach it. Raises CliError."""
    place = place_of(name)
    if (place.directory / OF_REAL_HOSTS).exists():
        raise CliError(
            f"data centre {name} is one of real hosts",
            Exit.USAGE,
            remedy=f"remove it with `homeostat down --name {name}`, or choose another --name",
        )
    if reached := place.reached():
        if hosts not in (None, len(reached.hosts)):
            raise CliError(
                f"--hosts: data centre {name} was made with {len(reached.hosts)}, found {hosts}",
                Exit.USAGE,
                remedy=f"remove it first with `homeostat down --name {name}`",
            )
    elif dry_run:
        click.echo(f"1. a process that simulates data centre {name}: {_size(place, hosts)} hosts in three zones")
        return
    else:
        reached = _start(place, name, _size(place, hosts))
    click.echo(summary(place, reached))


def _size(place: Place, hosts: int | None) -> int:
    """As many hosts as asked for, or as it had before its process ended."""
    last = place.last()
    return hosts or (HOSTS if last is None else len(last.hosts))


def _start(place: Place, name: str, hosts: int) -> Reached:
    """Raises CliError; what is left of an earlier process is left then only where one runs after all."""
    if place.runner():
        raise _is_being_raised(name)
    if place.is_used():
        click.echo(
            f"data centre {name}: its process had ended, and all that was in it is lost: it begins anew", err=True
        )
    command = (sys.executable, "-c", _MAIN, "run", "simulation", "--name", name, "--hosts", str(hosts))
    try:
        return start(place, command, within_s=_SERVES_WITHIN_S)
    except StartFailed as error:
        if place.runner():
            raise _is_being_raised(name) from error
        place.remove()
        raise CliError(str(error)) from error


def _is_being_raised(name: str) -> CliError:
    return CliError(
        f"data centre {name}: another `homeostat up` raises it at this moment",
        Exit.REFUSED,
        remedy=f"`homeostat status --name {name}` says when it is up; or choose another --name",
    )


def down(name: str) -> bool:
    """End a simulated data centre of a name; whether there was one."""
    return place_of(name).is_used() and end(place_of(name), within_s=_ENDS_WITHIN_S)


def status(name: str, output: str | None) -> int:
    """Tell whether it runs, and how it is reached."""
    place = place_of(name)
    reached = place.reached()
    faults = under_way(place) if reached is not None else None
    if output == "json":
        import msgspec

        found = {"name": name, "engine": "sim", "is_ready": reached is not None}
        told = found if reached is None else found | msgspec.to_builtins(reached) | {"faults": faults}
        click.echo(msgspec.json.format(msgspec.json.encode(told), indent=2).decode())
    elif reached is None:
        click.echo(
            f"data centre {name}  simulated\n  its process has ended: `homeostat up --engine sim` starts it anew\n"
            f"  what it said last is in {place.log}"
        )
    else:
        click.echo(summary(place, reached))
        click.echo(f"  faults    {told_shortly(faults)}")
    return Exit.OK if reached is not None else Exit.FAILURE


def under_way(place: Place) -> tuple[Entry, ...] | None:
    """The faults of one that runs; None when it does not say."""
    try:
        return ask(place, Look())
    except NotReached:
        return None


def told_shortly(faults: tuple[Entry, ...] | None) -> str:
    """On one line."""
    if faults is None:
        return "not known, as the simulation does not answer"
    return ", ".join(f"{each.id} on {each.on}" for each in faults) or "none under way"


def summary(place: Place, reached: Reached) -> str:
    """What runs and how to reach it."""
    option = "" if reached.name == "homeostat" else f" --name {reached.name}"
    lines = [
        f"data centre {reached.name} is up, simulated: nothing in it is real, and it is lost when its process ends",
        f"  control   {reached.url}",
        f"  hosts     {_some(reached.hosts)}",
        f"  network   load balancers {reached.addresses}",
        f"  log       {place.log}",
        f"  reach it  export KUBECONFIG={place.kubeconfig}",
    ]
    if shutil.which("kubectl"):
        lines.append("            kubectl get nodes")
    return "\n".join([*lines, f"  remove    homeostat down{option}"])


def _some(hosts: tuple[str, ...]) -> str:
    """All of a few, and the first of many."""
    more = len(hosts) - _SHOWN
    return ", ".join(hosts[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
