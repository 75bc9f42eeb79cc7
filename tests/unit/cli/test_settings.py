"""Options that are made of a process's settings: what is told arrives, what is left out is as the fields say."""

from __future__ import annotations

from typing import Annotated, Literal

import click
from click.testing import CliRunner, Result
from msgspec import Struct

from homeostat.app.options import Flag
from homeostat.cli.settings import settings_options


def _even(value: str) -> None:
    if len(value) % 2:
        raise ValueError(f"expected an even number of letters, found {value!r}")


class Kettle(Struct, frozen=True, kw_only=True):
    """Settings of a kettle."""

    brand: str = "plain"  # no flag: not asked on the command line
    cups: Annotated[int, Flag("How many cups.", least=1, most=9)] = 2
    whistle: Annotated[bool, Flag("Tell when it boils.")] = True
    owners: Annotated[tuple[str, ...], Flag("Who may use it; may be repeated.", "NAME")] = ()
    metal: Annotated[Literal["steel", "copper"], Flag("What it is made of.")] = "steel"
    label: Annotated[str, Flag("What stands on it.", environment="KETTLE_LABEL", check=_even)] = ""


def boil(*words: str, **environment: str) -> tuple[Kettle | None, Result]:
    found: list[Kettle] = []

    @click.command()
    @settings_options(Kettle)
    def command(settings: Kettle) -> None:
        found.append(settings)

    result = CliRunner().invoke(command, words, env=environment)
    return (found[0] if found else None), result


def test_what_is_left_out_is_as_the_fields_say() -> None:
    assert boil()[0] == Kettle()


def test_what_is_told_arrives_as_the_fields_type_it() -> None:
    told = boil("--cups", "9", "--no-whistle", "--owners", "a", "--owners", "b", "--metal", "copper", "--label", "mine")
    assert told[0] == Kettle(cups=9, whistle=False, owners=("a", "b"), metal="copper", label="mine")


def test_a_variable_of_the_environment_tells_it_too() -> None:
    assert boil(KETTLE_LABEL="ours")[0] == Kettle(label="ours")


def test_what_is_out_of_bounds_or_fails_its_check_is_refused_with_what_was_expected() -> None:
    for words, said in (
        (("--cups", "10"), "1<=x<=9"),
        (("--metal", "wood"), "'steel', 'copper'"),
        (("--label", "odd"), "expected an even number of letters, found 'odd'"),
        (("--brand", "x"), "No such option"),
    ):
        settings, result = boil(*words)
        assert settings is None
        assert result.exit_code == 2
        assert said in result.output


def test_help_tells_each_option_in_the_order_of_the_fields() -> None:
    told = boil("--help")[1].output
    names = ("--cups", "--whistle / --no-whistle", "--owners NAME", "--metal", "--label")
    assert [told.index(name) for name in names] == sorted(told.index(name) for name in names)
    assert "[default: 2; 1<=x<=9]" in told
    assert "[env var: KETTLE_LABEL]" in told
