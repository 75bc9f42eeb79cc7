"""Expressions of CEL as Kubernetes has it: the language, its string functions, optional values, and some of its own.

The language is Google's C++ implementation; decision 0029 says why. It has no types for objects of a CRD, so that a
rule about a field that no schema has is found when it is evaluated, not when the CRD is made. A function of Kubernetes
that is not among `functions` is refused as not imitated.
"""

from __future__ import annotations

import functools
import re
from typing import Any

from homeostat.sim.apiserver.schemas.compiling import compiled, environment
from homeostat.sim.apiserver.schemas.functions import NOT_IMITATED

SELF, BEFORE = "self", "oldSelf"
_TEXTS = re.compile(r"""[rR]?("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')""")
_FIELDS = re.compile(rf"\b(?:{SELF}|{BEFORE})\b(?:\s*\.\s*(\w+)\b(?!\s*\())?")  # calls are no fields
_ERRORS = (
    (re.compile(r'NOT_FOUND: Key not found in map : "?(.*?)"?'), r"no such key: \1"),
    (re.compile(r"INVALID_ARGUMENT: divide by zero"), "division by zero"),
    (re.compile(r"INVALID_ARGUMENT: modulus by zero"), "modulus by zero"),
    (re.compile(r"UNKNOWN: Index error: index=(-?\d+) .*"), r"index out of bounds: \1"),
    (re.compile(r"OUT_OF_RANGE: (.*)"), r"\1"),
    (re.compile(r"UNKNOWN: No matching overloads found.*|INVALID_ARGUMENT: Applying SELECT to non-message type"), ""),
)


class FailedEvaluation(ValueError):
    """An expression that has no value for these variables; the text is that of an API server."""


class Expression:
    """A compiled expression about `self` and `oldSelf`."""

    def __init__(self, text: str, kind: str, *, optional: bool = False) -> None:
        """`kind` is the type of `self` as CEL writes it. Raises BadExpression, or Refused for what is not imitated."""
        plain = _TEXTS.sub("''", text)
        self.uses_before = BEFORE in re.findall(r"\w+", plain)
        self.names = _names(plain)
        self._optional = optional and self.uses_before
        self._compiled = _compiled(text.strip(), kind, self._optional)

    @property
    def kind(self) -> str:
        """The type of its value, as CEL writes it: BOOL, STRING, DYN."""
        return str(self._compiled.return_type().name())

    def value(self, now: Any, before: Any = None) -> Any:
        """Its value. Raises FailedEvaluation."""
        from cel_expr_python import cel

        if self._optional:
            # Optional values cannot be handed over; they are made of a list of one value or none.
            before = [] if before is None else [before]
        variables = {SELF: now, BEFORE: before}
        found = self._compiled.eval(data=variables)
        if found.type() == cel.Type.ERROR:
            raise FailedEvaluation(told_error(str(found.value())))
        return found.plain_value()


def _names(text: str) -> frozenset[str] | None:
    """The fields of `self` and `oldSelf` that are named; None where one of them is looked at as a whole."""
    found = _FIELDS.findall(text)
    return frozenset(found) if all(found) else None


def told_error(error: str) -> str:
    """What a failed evaluation is called by an API server."""
    for pattern, told in _ERRORS:
        if found := pattern.fullmatch(error):
            return found.expand(told) if told else "no such overload"
    return error


@functools.lru_cache(maxsize=4096)
def _compiled(text: str, kind: str, optional: bool) -> Any:
    """Rules are few and shared by all tenants of a process."""
    if optional:
        text = f"cel.bind({BEFORE}, {BEFORE}[?0], {text})"
    return compiled(_environment(kind, optional), text, NOT_IMITATED, "the function {} in rules of CRDs")


@functools.cache
def _environment(kind: str, optional: bool) -> Any:
    return environment({SELF: kind, BEFORE: f"list<{kind}>" if optional else kind}, "rules of CRDs")
