"""Get and list: the newest state, or that of a revision, whole or in pages of one revision.

A page ends with a token that says where to go on and in which state. When that state is forgotten the answer is 410,
with a token that goes on from the same place in the newest state, for who can live with that.
"""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from itertools import islice

import msgspec
from msgspec import Struct

from homeostat.sim.apiserver.answer import Answer
from homeostat.sim.apiserver.refusing import Cause, Refused, bad_request
from homeostat.sim.apiserver.schemas.causes import forbidden, not_supported
from homeostat.sim.apiserver.selecting.fields import NAME, Terms, chooses, name_in, read_fields
from homeostat.sim.apiserver.selecting.labels import Requirements, read_labels, selects
from homeostat.sim.apiserver.store.history import TooOld
from homeostat.sim.apiserver.store.record import Record, key_of
from homeostat.sim.apiserver.store.shelf import Shelf
from homeostat.sim.apiserver.store.state import State
from homeostat.sim.apiserver.store.store import Store
from homeostat.sim.apiserver.types.routing import Asked
from homeostat.sim.apiserver.types.type import Type

_MATCH = "resourceVersionMatch"
_NEWEST = -1  # in a token: go on in whatever state there is
_TOKEN_VERSION = "meta.k8s.io/v1"  # noqa: S105  (of the token's form, as apiserver's storage writes it)


class Selection(Struct, frozen=True):
    """Which objects of a collection are meant."""

    namespace: str
    labels: Requirements
    fields: Terms

    @property
    def is_all(self) -> bool:
        """Whether every object of the namespace is meant."""
        return not self.labels and not self.fields

    def has(self, record: Record) -> bool:
        """Whether an object is meant, whose namespace is not asked again."""
        return selects(self.labels, record.labels) and chooses(self.fields, record)


class _Place(Struct, frozen=True):
    """Where a page ended."""

    v: str
    rv: int
    start: str


def selection(asked: Asked) -> Selection:
    """What the selectors of a request say. Raises Refused."""
    terms = read_fields(asked.query.get("fieldSelector", ""), asked.type.strategy.selectable)
    if asked.name:
        terms = (*terms, *read_fields(f"{NAME}={asked.name}", ()))
    return Selection(asked.namespace, read_labels(asked.query.get("labelSelector", "")), terms)


def not_found(type_: Type, name: str) -> Refused:
    """There is no object of that name."""
    message = f'{type_.qualified} "{name}" not found'
    return Refused(404, "NotFound", message, group=type_.resource.group, kind=type_.resource.plural, name=name)


def existing(store: Store, asked: Asked) -> Record:
    """The object that a request names. Raises Refused."""
    record = store.shelf(asked.type.collection).get(key_of(asked.namespace, asked.name))
    if record is None:
        raise not_found(asked.type, asked.name)
    return record


def get(store: Store, asked: Asked) -> Answer:
    """One object."""
    return Answer(200, existing(store, asked).shown(asked.type.head))


def list_(store: Store, asked: Asked) -> Answer:
    """All objects that are meant, or one page of them."""
    chosen, limit = selection(asked), _number(asked, "limit")
    revision, after, is_of_old = _state(store, asked, limit)
    shelf = store.shelf(asked.type.collection)
    state = shelf.state(revision if is_of_old else None)
    found = _found(shelf, state, chosen, after)
    if not limit:
        return listed(asked.type, list(found), revision)
    page = list(islice(found, limit))
    if next(found, None) is None:
        return listed(asked.type, page, revision)
    left = state.count(chosen.namespace, page[-1].key) if chosen.is_all else None
    return listed(asked.type, page, revision, _token(revision, page[-1].key), left)


def _found(shelf: Shelf, state: State, chosen: Selection, after: str) -> Iterator[Record]:
    name = name_in(chosen.fields)
    if name and chosen.namespace and state.is_newest and not after:
        record = shelf.get(key_of(chosen.namespace, name))  # one object: no walk through the others
        return iter([record] if record is not None and chosen.has(record) else [])
    records = state.within(chosen.namespace, after)
    return records if chosen.is_all else (each for each in records if chosen.has(each))


def _state(store: Store, asked: Asked, limit: int) -> tuple[int, str, bool]:
    """The revision that a list is of, the key it begins behind, and whether it is not of the newest state."""
    token, wanted = asked.query.get("continue", ""), asked.query.get("resourceVersion", "")
    match = asked.query.get(_MATCH, "")
    if match not in ("", "NotOlderThan", "Exact"):
        raise asked.bad_options([not_supported(_MATCH, match, ("Exact", "NotOlderThan", ""))])
    if token:
        if wanted not in ("", "0"):
            raise bad_request("specifying resource version is not allowed when using continue")
        return _continued(store, asked, token)
    revision = read_revision(wanted)
    if match and not wanted:
        why = "resourceVersionMatch is forbidden unless resourceVersion is provided"
        raise asked.bad_options([forbidden(_MATCH, why)])
    if match == "Exact" and not revision:
        raise asked.bad_options(
            [forbidden(_MATCH, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"')]
        )
    if revision > store.revision:
        raise too_large(revision, store.revision)
    if revision and (match == "Exact" or (limit and not match)):
        _remembered(store, asked, revision)
        return revision, "", True
    return store.revision, "", False


def _continued(store: Store, asked: Asked, token: str) -> tuple[int, str, bool]:
    try:
        place = msgspec.json.decode(urlsafe_b64decode(token + "=" * (-len(token) % 4)), type=_Place)
    except (ValueError, binascii.Error, msgspec.DecodeError) as error:
        raise bad_request("continue key is not valid") from error
    if place.v != _TOKEN_VERSION:
        raise bad_request(f"continue key is not valid: server does not recognize this encoded version {place.v!r}")
    if place.start.startswith("/") or any(part in ("", ".", "..") for part in place.start.split("/")[:-1]):
        raise bad_request(f"continue key is not valid: {place.start}")
    if place.rv == _NEWEST:
        return store.revision, place.start, False
    try:
        store.shelf(asked.type.collection).history.after(place.rv)
    except TooOld as error:
        raise _expired_page(place) from error
    return place.rv, place.start, True


def _remembered(store: Store, asked: Asked, revision: int) -> None:
    try:
        store.shelf(asked.type.collection).history.after(revision)
    except TooOld as error:
        raise Refused(410, "Expired", "The resourceVersion for the provided list is too old.") from error


def _expired_page(place: _Place) -> Refused:
    error = Refused(
        410,
        "Expired",
        "The provided continue parameter is too old to display a consistent list result. You can start a new list"
        " without the continue parameter, or use the continue token in this response to retrieve the remainder of the"
        " results. Continuing with the provided token results in an inconsistent list - objects that were created,"
        " modified, or deleted between the time the first chunk was returned and now may show up in the list.",
    )
    error.continue_token = _token(_NEWEST, place.start)
    return error


def read_revision(text: str) -> int:
    """A resourceVersion as a number; nothing is 0. Raises Refused."""
    if not text:
        return 0
    if not text.isdecimal():
        raise bad_request(
            f'resourceVersion: Invalid value: "{text}": strconv.ParseUint: parsing "{text}": invalid syntax'
        )
    return int(text)


def too_large(wanted: int, present: int) -> Refused:
    """A state is asked for that has not come."""
    return Refused(
        504,
        "Timeout",
        f"Too large resource version: {wanted}, current: {present}",
        causes=[Cause("ResourceVersionTooLarge", "Too large resource version")],
        retry_after_s=1,
    )


def listed(type_: Type, page: list[Record], revision: int, token: str = "", left: int | None = None) -> Answer:
    """Objects as a list of a revision; `token` and `left` tell of the rest where it is a page."""
    kind = (type_.list_kind or f"{type_.resource.kind}List").encode()
    more = b"" if not token else b',"continue":"%b"' % token.encode()
    more += b"" if left is None else b',"remainingItemCount":%d' % left
    head = b'{"kind":"%b","apiVersion":"%b","metadata":{"resourceVersion":"%d"%b},"items":[' % (
        kind,
        type_.resource.api_version.encode(),
        revision,
        more,
    )
    item_head = type_.item_head
    return Answer(200, head + b",".join([each.shown(item_head) for each in page]) + b"]}\n")


def _token(revision: int, key: str) -> str:
    encoded = msgspec.json.encode(_Place(_TOKEN_VERSION, revision, key))
    return urlsafe_b64encode(encoded).decode().rstrip("=")


def _number(asked: Asked, name: str) -> int:
    text = asked.query.get(name, "")
    if text and not text.lstrip("-").isdecimal():
        raise bad_request(f'{name}: Invalid value: strconv.ParseInt: parsing "{text}": invalid syntax')
    return max(0, int(text or 0))
