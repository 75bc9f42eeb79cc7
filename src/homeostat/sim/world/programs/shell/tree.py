"""What a script is made of, once it is read."""

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import Struct


class Text(Struct, frozen=True):
    """Letters as they stand."""

    text: str
    is_quoted: bool = False


class Variable(Struct, frozen=True):
    """The value of a variable."""

    name: str
    is_quoted: bool = False


class Output(Struct, frozen=True):
    """What a script writes, in the place of it."""

    script: Script
    is_quoted: bool = False


Part: TypeAlias = "Text | Variable | Output"
Word = tuple[Part, ...]


class Simple(Struct, frozen=True):
    """A command with its arguments, and the file that its output goes to."""

    words: tuple[Word, ...]
    target: Word | None = None
    adds: bool = False


class Choice(Struct, frozen=True):
    """The first branch whose condition holds."""

    branches: tuple[tuple[Script, Script], ...]
    otherwise: Script | None = None


class Loop(Struct, frozen=True):
    """Again and again while a condition holds, or until it does."""

    condition: Script
    body: Script
    until: bool = False


Command: TypeAlias = "Simple | Choice | Loop"
Join = Literal[";", "&&", "||"]


class Step(Struct, frozen=True):
    """A command, and how it hangs on the one before it."""

    join: Join
    command: Command
    is_negated: bool = False


Script: TypeAlias = tuple[Step, ...]
