"""Options of the command line that are made of a process's settings, so that each is described once."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Literal, get_args, get_origin, get_type_hints

import click
from msgspec import Struct
from msgspec.structs import fields

from homeostat.app.options import Flag


def settings_options(of: type[Struct]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Adds an option for each field that has a Flag, in their order, and passes them all as one `settings`."""
    hints = get_type_hints(of, include_extras=True)
    flags = {field.name: (hints[field.name], field.default) for field in fields(of) if _flag(hints[field.name])}

    def add(command: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(command)
        def wrapped(*args: Any, **keywords: Any) -> Any:
            told = {name: keywords.pop(name) for name in flags}
            return command(*args, settings=of(**told), **keywords)

        made: Callable[..., Any] = wrapped
        for name, (hint, default) in reversed(flags.items()):
            made = _option(name, hint, default)(made)
        return made

    return add


def _flag(hint: Any) -> Flag | None:
    return next((each for each in getattr(hint, "__metadata__", ()) if isinstance(each, Flag)), None)


def _option(name: str, hint: Any, default: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    flag, type_ = _flag(hint), get_args(hint)[0]
    assert flag is not None  # noqa: S101  (the caller chose)
    option = f"--{name.replace('_', '-')}"
    return click.option(
        f"{option}/--no-{option[2:]}" if type_ is bool else option,
        type=_click_type(type_, flag),
        multiple=get_origin(type_) is tuple,
        default=default,
        show_default=default not in ("", ()),
        metavar=flag.metavar or None,
        envvar=flag.environment or None,
        show_envvar=bool(flag.environment),
        callback=functools.partial(_checked, flag),
        help=flag.help,
    )


def _click_type(type_: Any, flag: Flag) -> click.ParamType[Any] | type | None:
    if get_origin(type_) is Literal:
        return click.Choice(get_args(type_))
    if type_ is int:
        return click.IntRange(flag.least, flag.most)
    return None if type_ is bool else str


def _checked(flag: Flag, context: click.Context, parameter: click.Parameter, value: Any) -> Any:  # noqa: ARG001
    """What was told, if it can be. Raises BadParameter."""
    if flag.check is not None and value:
        try:
            flag.check(value)
        except ValueError as error:
            raise click.BadParameter(str(error)) from error
    return value
