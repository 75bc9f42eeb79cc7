"""Small commands: each ends with a code, and writes little or nothing. Only `sleep` takes time, and that elsewhere."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence

from homeostat.sim.world.programs.shell.files import Files

Result = tuple[int, str]  # a code, and what was written
Run = Callable[[Sequence[str], Files], Result]
_WRONG = 2  # as what was asked wrongly ends
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_COMPARED: Mapping[str, Callable[[int, int], bool]] = {
    "-eq": operator.eq,
    "-ne": operator.ne,
    "-lt": operator.lt,
    "-le": operator.le,
    "-gt": operator.gt,
    "-ge": operator.ge,
}
_RECKONED: Mapping[str, Callable[[int, int], int]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": lambda left, right: int(left / right),
    "%": lambda left, right: left - right * int(left / right),
}


def seconds(words: Sequence[str]) -> float | None:
    """How long `sleep` is to take; None when it was asked wrongly."""
    total = 0.0
    for word in words:
        unit = _SECONDS.get(word[-1:], 1)
        try:
            total += float(word.rstrip("smhd")) * unit
        except ValueError:
            return None
    return total if words else None


def test(words: Sequence[str], files: Files) -> Result:
    """`test`, without what joins several."""
    match list(words):
        case ["!", *rest]:
            code, _ = test(rest, files)
            return (code if code == _WRONG else 1 - code), ""
        case []:
            return 1, ""
        case [text]:
            return int(not text), ""
        case [question, about]:
            return _asked(question, about, files), ""
        case [left, compared, right]:
            return _compared(left, compared, right), ""
    return _WRONG, ""


def _asked(question: str, about: str, files: Files) -> int:
    match question:
        case "-n":
            return int(not about)
        case "-z":
            return int(bool(about))
        case "-e" | "-f" | "-r" | "-w":
            return int(not files.has(about))
        case "-s":
            return int(not files.read(about))
    return _WRONG


def _compared(left: str, compared: str, right: str) -> int:
    if compared in ("=", "=="):
        return int(left != right)
    if compared == "!=":
        return int(left == right)
    try:
        return int(not _COMPARED[compared](int(left), int(right)))
    except (KeyError, ValueError):
        return _WRONG


def _bracketed(end: str) -> Run:
    def run(words: Sequence[str], files: Files) -> Result:
        return test(list(words[:-1]), files) if words[-1:] == [end] else (_WRONG, "")

    return run


def _expr(words: Sequence[str], files: Files) -> Result:  # noqa: ARG001  (as all commands)
    match list(words):
        case [left, sign, right] if sign in _RECKONED:
            try:
                found = str(_RECKONED[sign](int(left), int(right)))
            except (ValueError, ZeroDivisionError):
                return _WRONG, ""
        case [left, "=", right]:
            found = str(int(left == right))
        case [found]:
            pass
        case _:
            return _WRONG, ""
    return int(found in ("", "0")), f"{found}\n"


def _echo(words: Sequence[str], files: Files) -> Result:  # noqa: ARG001
    is_bare = words[:1] == ["-n"]
    return 0, " ".join(words[is_bare:]) + ("" if is_bare else "\n")


def _cat(words: Sequence[str], files: Files) -> Result:
    found = [files.read(path) for path in words]
    return int(None in found), "".join(each for each in found if each is not None)


def _touch(words: Sequence[str], files: Files) -> Result:
    for path in words:
        files.write(path, "", adds=True)
    return 0, ""


def _constant(code: int) -> Run:
    return lambda words, files: (code, "")  # noqa: ARG005


COMMANDS: Mapping[str, Run] = {
    "true": _constant(0),
    ":": _constant(0),
    "false": _constant(1),
    "test": test,
    "[": _bracketed("]"),
    "[[": _bracketed("]]"),
    "expr": _expr,
    "echo": _echo,
    "cat": _cat,
    "touch": _touch,
}
