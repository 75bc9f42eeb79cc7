"""A script in words and signs: quotes, variables and what other commands write are told apart. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from homeostat.sim.world.programs.shell.tree import Output, Part, Script, Text, Variable, Word

SIGNS = ("&&", "||", ">>", ">", ";", "\n")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_BRACED = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_UNKNOWN = "&|<`(){}*?~"  # what stands for something that is not known here
_ESCAPED = '"$`\\'


class Unknown(Exception):
    """A script that cannot be read here."""


class Token(NamedTuple):
    """A word, or a sign."""

    word: Word
    sign: str = ""

    @property
    def plain(self) -> str:
        """A word of letters alone, as keywords are; empty for all others."""
        if len(self.word) == 1 and isinstance(self.word[0], Text) and not self.word[0].is_quoted:
            return self.word[0].text
        return ""


Read = Callable[[str], Script]  # how scripts in scripts are read


def tokens(text: str, read: Read) -> Iterator[Token]:
    """Raises Unknown."""
    at = 0
    while at < len(text):
        if text[at] in " \t" or text.startswith("\\\n", at):
            at += 2 if text[at] == "\\" else 1
        elif text[at] == "#":
            end = text.find("\n", at)
            at = len(text) if end < 0 else end
        elif sign := next((each for each in SIGNS if text.startswith(each, at)), ""):
            yield Token((), sign)
            at += len(sign)
        else:
            word, at = _word(text, at, read)
            yield Token(word)


def _word(text: str, at: int, read: Read) -> tuple[Word, int]:
    parts: list[Part] = []
    while at < len(text) and text[at] not in " \t\n;>" and not text.startswith(("&&", "||"), at):
        letter = text[at]
        if letter == "'":
            end = _found(text, "'", at + 1)
            parts.append(Text(text[at + 1 : end], is_quoted=True))
            at = end + 1
        elif letter == '"':
            more, at = _quoted(text, at + 1, read)
            parts += more
        elif letter == "$":
            part, at = _filled(text, at + 1, read, is_quoted=False)
            parts.append(part)
        elif letter in _UNKNOWN:
            raise Unknown(letter)
        else:
            is_escaped = letter == "\\"
            at += is_escaped
            parts.append(Text(text[at : at + 1], is_quoted=is_escaped))
            at += 1
    return _joined(parts), at


def _quoted(text: str, at: int, read: Read) -> tuple[list[Part], int]:
    parts: list[Part] = [Text("", is_quoted=True)]
    while at < len(text) and text[at] != '"':
        if text[at] == "$":
            part, at = _filled(text, at + 1, read, is_quoted=True)
            parts.append(part)
            continue
        if text[at] == "`":
            raise Unknown("`")
        at += text[at] == "\\" and text[at + 1 : at + 2] in tuple(_ESCAPED)
        parts.append(Text(text[at : at + 1], is_quoted=True))
        at += 1
    return parts, _found(text, '"', at) + 1


def _filled(text: str, at: int, read: Read, *, is_quoted: bool) -> tuple[Part, int]:
    """What stands behind a dollar."""
    if text.startswith("(", at) and not text.startswith("((", at):
        end = _closing(text, at)
        return Output(read(text[at + 1 : end]), is_quoted), end + 1
    found = _BRACED.match(text, at)
    if found:
        return Variable(found[1], is_quoted), found.end()
    found = _NAME.match(text, at)
    if found is None:
        raise Unknown("$")
    return Variable(found[0], is_quoted), found.end()


def _closing(text: str, at: int) -> int:
    depth = 0
    for index in range(at, len(text)):
        if text[index] in "'\"":  # a bracket in quotes would be taken for one
            raise Unknown("quotes in brackets")
        depth += (text[index] == "(") - (text[index] == ")")
        if not depth:
            return index
    raise Unknown("(")


def _found(text: str, letter: str, at: int) -> int:
    end = text.find(letter, at)
    if end < 0:
        raise Unknown(letter)
    return end


def _joined(parts: list[Part]) -> Word:
    made: list[Part] = []
    for part in parts:
        last = made[-1] if made else None
        if isinstance(part, Text) and isinstance(last, Text) and last.is_quoted == part.is_quoted:
            made[-1] = Text(last.text + part.text, part.is_quoted)
        else:
            made.append(part)
    return tuple(made)
