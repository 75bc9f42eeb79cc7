"""Label selectors: `app=web,tier in (a, b),!draft,replicas>3`, read as apimachinery's labels.Parse reads them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct

from homeostat.sim.apiserver.refusing import Refused, bad_request

Operator = Literal["exists", "absent", "in", "notin", "<", ">"]
_OPERATORS: dict[str | None, Operator] = {"In": "in", "NotIn": "notin", "Exists": "exists"}
_TOKEN = re.compile(r"\s*(?:(==|=|!=|!|,|\(|\)|<|>)|([^\s=!,()<>]+))")
_KEY = re.compile(r"(?:[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_VALUE = re.compile(r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")


class Requirement(Struct, frozen=True):
    """One claim about a label."""

    key: str
    operator: Operator
    values: tuple[str, ...] = ()

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Whether labels are as claimed. What a label is not, it is also when it is absent."""
        found = labels.get(self.key)
        match self.operator:
            case "exists":
                return found is not None
            case "absent":
                return found is None
            case "in":
                return found in self.values
            case "notin":
                return found is None or found not in self.values
        return _is_number(found) and (
            int(found or 0) < int(self.values[0]) if self.operator == "<" else int(found or 0) > int(self.values[0])
        )


Requirements = tuple[Requirement, ...]


def selects(requirements: Requirements, labels: Mapping[str, str]) -> bool:
    """Whether all claims hold."""
    return all(each.holds(labels) for each in requirements)


def requirements_of(selector: Mapping[str, Any]) -> Requirements:
    """The claims of a selector as objects have it, in `matchLabels` and `matchExpressions`."""
    labels, expressions = selector.get("matchLabels") or {}, selector.get("matchExpressions") or ()
    equal = (Requirement(key, "in", (value,)) for key, value in labels.items())
    claims = (
        Requirement(
            each.get("key", ""), _OPERATORS.get(each.get("operator"), "absent"), tuple(each.get("values") or ())
        )
        for each in expressions
    )
    return (*equal, *claims)


def read_labels(text: str) -> Requirements:
    """The claims of a selector. Raises Refused."""
    return _Reader(text).requirements()


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = _tokens(text)
        self._at = 0

    def requirements(self) -> Requirements:
        found: list[Requirement] = []
        if not self._tokens:
            return ()
        while True:
            found.append(self._requirement())
            if self._at == len(self._tokens):
                return tuple(sorted(found, key=lambda each: each.key))
            self._expect(",")

    def _requirement(self) -> Requirement:
        if self._peek() == "!":
            self._at += 1
            return Requirement(self._key(), "absent")
        key = self._key()
        match self._peek():
            case "" | ",":
                return Requirement(key, "exists")
            case "=" | "==":
                return Requirement(key, "in", (self._value_after_operator(),))
            case "!=":
                return Requirement(key, "notin", (self._value_after_operator(),))
            case "<" | ">" as sign:
                return Requirement(key, "<" if sign == "<" else ">", (self._number_after_operator(),))
            case "in" | "notin" as word:
                self._at += 1
                return Requirement(key, "in" if word == "in" else "notin", self._set())
        raise self._wrong(f"found '{self._peek()}', expected: in, notin, =, ==, !=, gt, lt")

    def _set(self) -> tuple[str, ...]:
        self._expect("(")
        values = []
        while True:
            values.append("" if self._peek() in (",", ")") else self._value())
            if self._peek() == ")":
                self._at += 1
                return tuple(values)
            self._expect(",")

    def _value_after_operator(self) -> str:
        self._at += 1
        return "" if self._peek() in ("", ",") else self._value()

    def _number_after_operator(self) -> str:
        value = self._value_after_operator()
        if not _is_number(value):
            raise self._wrong(f"for 'Gt', 'Lt' operators, the value must be an integer, found '{value}'")
        return value

    def _key(self) -> str:
        key = self._next()
        if not _KEY.fullmatch(key):
            raise self._wrong(f"found '{key}', expected: !, identifier, or 'end of string'")
        return key

    def _value(self) -> str:
        value = self._next()
        if not _VALUE.fullmatch(value):
            raise self._wrong(f"found '{value}', expected: identifier")
        return value

    def _expect(self, token: str) -> None:
        found = self._next()
        if found != token:
            raise self._wrong(f"found '{found}', expected: '{token}'")

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        self._at += 1
        return token

    def _wrong(self, why: str) -> Refused:
        return bad_request(f"unable to parse requirement: {why}")


def _tokens(text: str) -> list[str]:
    found, at, end = [], 0, len(text.rstrip())
    while at < end:
        token = _TOKEN.match(text, at)
        if token is None:
            raise bad_request(f"unable to parse requirement: found '{text[at:]}'")
        found.append(token[1] or token[2])
        at = token.end()
    return found


def _is_number(text: str | None) -> bool:
    return text is not None and re.fullmatch(r"[+-]?\d+", text) is not None
