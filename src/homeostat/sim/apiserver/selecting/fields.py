"""Field selectors: `metadata.name=web,status.phase!=Running`, of the few fields that a type lets be selected by."""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec import Struct

from homeostat.sim.apiserver.refusing import bad_request
from homeostat.sim.apiserver.store.record import Record

_TERM = re.compile(r"(?P<field>[^=!]+?)(?P<sign>==|=|!=)(?P<value>.*)", re.DOTALL)
_SPLIT = re.compile(r"(?<!\\),")
_ESCAPED = re.compile(r"\\([\\,=])")
NAME, NAMESPACE = "metadata.name", "metadata.namespace"


class Term(Struct, frozen=True):
    """One claim about a field."""

    field: str
    value: str
    is_equal: bool = True


Terms = tuple[Term, ...]


def read_fields(text: str, known: Iterable[str]) -> Terms:
    """The claims of a selector about fields that a type has. Raises Refused."""
    found = []
    for part in _SPLIT.split(text):
        if not part:
            continue
        term = _TERM.fullmatch(part)
        if term is None:
            raise bad_request(f"invalid selector: '{text}'; can't understand '{part}'")
        if term["field"] not in (NAME, NAMESPACE, *known):
            raise bad_request(f"field label not supported: {term['field']}")
        found.append(Term(term["field"], _ESCAPED.sub(r"\1", term["value"]), term["sign"] != "!="))
    return tuple(found)


def chooses(terms: Terms, record: Record) -> bool:
    """Whether all claims hold of an object."""
    return all((_field(record, each.field) == each.value) is each.is_equal for each in terms)


def name_in(terms: Terms) -> str:
    """The one name that is asked for, if only one is."""
    return next((each.value for each in terms if each.field == NAME and each.is_equal), "")


def _field(record: Record, field: str) -> str:
    if field == NAME:
        return record.name
    return record.namespace if field == NAMESPACE else record.fields.get(field, "")
