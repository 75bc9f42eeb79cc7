"""A group whose commands are imported when they are used, and which knows their help without importing them."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click


class LazyGroup(click.Group):
    """Maps names to `module:attribute` and a line of help; internal ones have none, and are found only by who knows."""

    def __init__(
        self, *args: Any, lazy: Mapping[str, tuple[str, str]], internal: Mapping[str, str], **keywords: Any
    ) -> None:
        super().__init__(*args, **keywords)
        self._lazy = dict(lazy)
        self._places = {**internal, **{name: place for name, (place, _) in lazy.items()}}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names that people may use, those not imported included."""
        return sorted({*super().list_commands(ctx), *self._lazy})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now."""
        if cmd_name not in self._places:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = self._places[cmd_name].partition(":")
        command = getattr(import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{module}:{attribute}: expected a click command, found {type(command).__name__}")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands in the help, from the table."""
        rows = [(name, self._lazy[name][1] if name in self._lazy else "") for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with the nearest valid name for an unknown one."""
        if args and not args[0].startswith("-") and args[0] not in {*self.list_commands(ctx), *self._places}:
            hint = nearest(args[0], self.list_commands(ctx))
            ctx.fail(f"unknown command {args[0]!r}{hint}")
        return super().resolve_command(ctx, args)


def nearest(word: str, valid: list[str], otherwise: str = "") -> str:
    """`; did you mean ...?` for the closest valid word, or else other advice, or the list of all."""
    from difflib import get_close_matches  # only mistakes pay for it

    close = get_close_matches(word, valid, n=1, cutoff=0.5)
    if close:
        return f"; did you mean {close[0]!r}?"
    return otherwise or f"; expected one of {', '.join(valid)}"
