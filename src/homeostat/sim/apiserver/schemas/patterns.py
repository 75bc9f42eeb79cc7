r"""Regular expressions of RE2, which Go uses, as Python's.

What both write alike means the same with three exceptions: Python's `$` also matches before a last line break, its
classes (`\d`, `\w`) know all of Unicode, and it has what RE2 leaves out because it takes long (lookahead,
backreferences), which an API server refuses. What only RE2 has (`\pL`, `\Q`) is refused as not imitated.
"""

from __future__ import annotations

import functools
import re

from homeostat.sim.apiserver.refusing import not_imitated

_POSIX = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "digit": "0-9",
    "lower": "a-z",
    "upper": "A-Z",
    "punct": r"!-/:-@\[-`{-~",
    "space": r"\t\n\v\f\r ",
    "word": r"0-9A-Za-z_",
    "xdigit": "0-9A-Fa-f",
}
_PART = re.compile(r"\[:\^?\w+:\]|\\.|\(\?(?:<?[=!]|#|>)?|[$\[\]]|[^\\$\[\]()]+|.", re.DOTALL)
_REFUSED_ESCAPES = set("123456789Z")
_UNKNOWN_ESCAPES = set("pPQECX")


class BadPattern(ValueError):
    """Not a regular expression of RE2; the text is what Go says of it."""


@functools.lru_cache(maxsize=4096)
def compiled(pattern: str) -> re.Pattern[str]:
    """The pattern as Python's. Raises BadPattern, or Refused for what is not imitated."""
    multiline = re.match(r"\(\?[a-z]*m", pattern) is not None
    text, in_class = [], False
    for part in _PART.findall(pattern):
        text.append(_translated(part, in_class=in_class, multiline=multiline))
        if part in "[]":
            in_class = part == "["
    try:
        return re.compile("".join(text), re.ASCII)
    except re.error as error:
        raise BadPattern(f"error parsing regexp: {error.msg}: `{pattern}`") from None


def _translated(part: str, *, in_class: bool, multiline: bool) -> str:
    if part == "$" and not in_class and not multiline:
        return r"\Z"
    if part == "[" and in_class:
        return r"\["
    if part.startswith("[:"):
        name = part[2:-2].removeprefix("^")
        if "^" in part or name not in _POSIX or not in_class:
            raise not_imitated(f"the class {part} of regular expressions")
        return _POSIX[name]
    if part.startswith("\\") and len(part) == 2:
        return _translated_escape(part)
    if part in ("(?=", "(?!", "(?<=", "(?<!", "(?#", "(?>"):
        raise BadPattern(f"error parsing regexp: invalid or unsupported Perl syntax: `{part}`")
    return part


def _translated_escape(part: str) -> str:
    letter = part[1]
    if letter == "z":
        return r"\Z"
    if letter in _REFUSED_ESCAPES:
        raise BadPattern(f"error parsing regexp: invalid escape sequence: `{part}`")
    if letter in _UNKNOWN_ESCAPES:
        raise not_imitated(f"the escape {part} of regular expressions")
    return part
