"""`homeostat sim`: begin faults in a simulated data centre, see which are under way, and heal them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from homeostat.cli.ages import age
from homeostat.cli.exits import CliError, Exit
from homeostat.cli.lazy import nearest
from homeostat.cli.options import Duration, output_option
from homeostat.cli.table import aligned

if TYPE_CHECKING:
    from homeostat.sim.standing.asking import Question
    from homeostat.sim.world.faults.fault import Fault, FaultError
    from homeostat.sim.world.faults.keeping import Entry

_CATALOGUE = ("NAME", "ON", "PARAMETERS", "WHAT HAPPENS")
_ACTIVE = ("ID", "FAULT", "ON", "AGE", "ENDS IN", "PARAMETERS")
_ON = {"host": "hosts", "image": "an image", "centre": "all"}
# What a FaultError is about, as the command line has it: where that stands, what to do, and how the command ends.
_FIELDS = {
    "fault": ("FAULT: ", "`homeostat sim faults` lists them", Exit.USAGE),
    "on": ("--on: ", "`homeostat status` names the hosts of a data centre", Exit.NOT_FOUND),
    "for": ("--for: ", "leave it out, or give a duration such as 90s or 5m", Exit.USAGE),
    "id": ("ID: ", "`homeostat sim faults --active` lists what is under way", Exit.NOT_FOUND),
    "parameters.pod": ("", "name a Pod that runs on that host, or leave it to chance", Exit.NOT_FOUND),
}
_name_option = click.option("--name", default="homeostat", show_default=True, help="The data centre's name.")


def _complete(_: click.Context, __: click.Parameter, begun: str) -> list[CompletionItem]:
    from homeostat.sim.world.faults.injecting import CATALOGUE

    return [CompletionItem(name, help=fault.what) for name, fault in CATALOGUE.items() if name.startswith(begun)]


@click.group()
def sim() -> None:
    """Injure a data centre that `homeostat up --engine sim` has raised, and watch how homeostat mends it."""


@sim.command()
@click.argument("fault", shell_complete=_complete)
@click.argument("parameters", metavar="[KEY=VALUE]...", nargs=-1)
@click.option(
    "--on",
    metavar="TARGET",
    default="",
    help="A host; all hosts of a group, such as zone=a or rack=a-r1; all; or an image, where the fault is of images.",
)
@click.option("--for", "for_s", type=Duration(), metavar="DURATION", help="Heal it after this time.")
@click.option("--dry-run", is_flag=True, help="Say what it would happen to, and let nothing happen.")
@_name_option
@output_option("json")
def inject(
    fault: str,
    parameters: tuple[str, ...],
    on: str,
    for_s: float | None,
    dry_run: bool,
    name: str,
    output: str | None,
) -> None:
    """Begin a fault. It lasts until it is healed, but for those that are over as soon as they have happened."""
    from homeostat.sim.standing.asking import Inject
    from homeostat.sim.world.faults.injecting import CATALOGUE

    (entry,) = _ask(name, Inject(fault, on, _pairs(parameters), for_s, dry_run))
    if output:
        _print_json(entry)
        return
    row = CATALOGUE[fault]
    click.echo(f"{fault} on {_where(entry)}{' (dry run)' if dry_run else ''}: {row.what}")
    if not row.lasts:
        click.echo(f"  ends  {row.undone}")
    elif not dry_run:
        timed = f"in {_span(for_s)}, or " if for_s is not None else ""
        click.echo(f"  ends  {timed}by `homeostat sim heal {entry.id}{_option(name)}`: {row.undone}")


@sim.command()
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Heal all that is under way.")
@click.option("--dry-run", is_flag=True, help="Say what would be healed, and heal nothing.")
@_name_option
@output_option("json")
def heal(ids: tuple[str, ...], everything: bool, dry_run: bool, name: str, output: str | None) -> None:
    """End faults that are under way: what was broken works again, and what was lost stays lost."""
    from homeostat.sim.standing.asking import Heal

    if bool(ids) is everything:
        raise click.UsageError(f"expected one of ID and --all, found {'both' if ids else 'neither'}")
    entries = _ask(name, Heal(ids, dry_run))
    if output:
        _print_json(entries)
        return
    for entry in entries:
        click.echo(f"{entry.id} on {_where(entry)} is healed{' (dry run)' if dry_run else ''}")
    if not entries:
        click.echo("no fault is under way")


@sim.command()
@click.argument("fault", required=False, shell_complete=_complete)
@click.option("--active", is_flag=True, help="Those under way, in place of all that there are.")
@_name_option
@output_option("json")
def faults(fault: str | None, active: bool, name: str, output: str | None) -> None:
    """List the faults that there are, tell all of one, or (--active) list those under way."""
    from homeostat.sim.world.faults.fault import FaultError
    from homeostat.sim.world.faults.injecting import CATALOGUE, find

    if fault and active:
        raise click.UsageError("--active: expected no FAULT beside it")
    if active:
        _show_active(name, output)
        return
    try:
        rows = [find(fault)] if fault else list(CATALOGUE.values())
    except FaultError as error:
        raise _told(error, fault or "") from error
    if output:
        _print_json([_row(each) for each in rows])
    elif fault:
        click.echo(_story(rows[0]))
    else:
        table = [(each.name, _ON[each.on], " ".join(each.parameters), each.what) for each in rows]
        click.echo("\n".join(aligned([_CATALOGUE, *table])))


def _show_active(name: str, output: str | None) -> None:
    from homeostat.kit.clock import SystemClock
    from homeostat.sim.standing.asking import Look

    entries, now = _ask(name, Look()), SystemClock().now()
    if output:
        _print_json(entries)
    elif not entries:
        click.echo("no fault is under way", err=True)
    else:
        lines = [
            (
                each.id,
                each.fault,
                each.on,
                age(now - each.since),
                age(each.until - now) if each.until is not None else "",
                " ".join(f"{key}={value}" for key, value in each.parameters.items()),
            )
            for each in entries
        ]
        click.echo("\n".join(aligned([_ACTIVE, *lines])))


def _ask(name: str, question: Question) -> tuple[Entry, ...]:
    """Raises CliError, as no answer and every refusal of one."""
    from homeostat.cli.simulated import running
    from homeostat.sim.standing.asking import NotReached, ask
    from homeostat.sim.world.faults.fault import FaultError

    place = running(name)
    try:
        return ask(place, question)
    except FaultError as error:
        raise _told(error, getattr(question, "fault", "")) from error
    except NotReached as error:
        raise CliError(str(error), Exit.UNREACHABLE, remedy=f"its log is {place.log}") from error


def _told(error: FaultError, fault: str) -> CliError:
    parameter = ("", f"`homeostat sim faults {fault}` tells its parameters", Exit.USAGE)
    where, remedy, code = _FIELDS.get(error.field, parameter)
    return CliError(where + str(error), code, remedy=remedy)


def _pairs(words: tuple[str, ...]) -> dict[str, str]:
    """Parameters by name. Raises CliError for a word that is none, and for one that is told twice."""
    found: dict[str, str] = {}
    for word in words:
        key, is_pair, value = word.partition("=")
        if not is_pair or not key:
            hint = nearest(word, ["--on", "--for"], "; a target stands behind --on")
            raise CliError(f"expected a parameter as KEY=VALUE, found {word!r}{hint}", Exit.USAGE)
        if key in found:
            raise CliError(f"{key}: expected one value, found {found[key]!r} and {value!r}", Exit.USAGE)
        found[key] = value
    return found


def _where(entry: Entry) -> str:
    hosts = ", ".join(entry.targets)
    return entry.on if hosts in ("", entry.on) else f"{entry.on} ({hosts})"


def _span(seconds: float) -> str:
    from datetime import timedelta

    return age(timedelta(seconds=seconds))


def _option(name: str) -> str:
    return "" if name == "homeostat" else f" --name {name}"


def _story(fault: Fault) -> str:
    lines = [f"{fault.name}, on {_ON[fault.on]}", f"  what  {fault.what}", f"  ends  {fault.undone}"]
    for name, each in fault.parameters.items():
        expected = f"; {each.range}" if each.range else ""
        lines.append(f"  {name}={each.default}  {each.help}{expected}")
    return "\n".join(lines)


def _row(fault: Fault) -> dict[str, Any]:
    """What of a fault is data."""
    parameters = {
        name: {"default": each.default, "help": each.help, "expected": each.range or "a text"}
        for name, each in fault.parameters.items()
    }
    told = {"name": fault.name, "on": fault.on, "what": fault.what, "undone": fault.undone, "lasts": fault.lasts}
    return {**told, "parameters": parameters}


def _print_json(content: Any) -> None:
    from homeostat.cli.rendering import print_data

    print_data(content, "json")
