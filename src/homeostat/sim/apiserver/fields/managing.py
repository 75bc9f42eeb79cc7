"""The two doors to an object's managedFields: `update` for what creates, replaces and patches, `apply` for an apply.

Both take the live object and what a client sent, and give the object to store, with its managedFields. Where there is
no object yet, the live one is the empty object of the type: it has no uid, and it has what a value of the type cannot
be without (in Go: structs, and lists that are written also when they are nil), which is nobody's therefore. Defaults
are the caller's: before an update they are part of what is written, and after an apply they are nobody's.
"""

from __future__ import annotations

from msgspec.structs import replace

from homeostat.sim.apiserver.fields import entries as kept
from homeostat.sim.apiserver.fields import last_applied, ownership
from homeostat.sim.apiserver.fields.checking import Untypable, check
from homeostat.sim.apiserver.fields.conflicts import refusal
from homeostat.sim.apiserver.fields.entries import Entries, Object
from homeostat.sim.apiserver.fields.forms import Unnamed
from homeostat.sim.apiserver.fields.ownership import Conflicts, Convert, Typed, Writer
from homeostat.sim.apiserver.fields.paths import Unreadable
from homeostat.sim.apiserver.refusing import Refused, bad_request
from homeostat.sim.apiserver.schemas.shape import Shape

__all__ = ["Convert", "apply", "at_every_version", "update"]

BEFORE_FIRST_APPLY = "before-first-apply"


def at_every_version(shape: Shape) -> Convert:
    """The conversion of a type whose versions differ by nothing but their names."""

    def convert(value: Object, api_version: str) -> Typed:
        return Typed(value | {"apiVersion": api_version} if "apiVersion" in value else value, shape)

    return convert


def update(live: Object, new: Object, writer: Writer, convert: Convert) -> Object:
    """The new object with managedFields that say who wrote what.

    Items of a list that cannot be told apart leave the object without any: a write never fails for its managedFields.
    """
    found = _entries_for(live, new, writer)
    old, plain = kept.bare(live), kept.bare(new)
    if not found and not _is_empty(live):
        return plain  # The fields of this object are not followed, until somebody applies.
    try:
        return kept.put(plain, kept.capped(ownership.updated(found, old, plain, writer, convert)))
    except Unnamed:
        return plain


def apply(
    live: Object,
    config: Object,
    writer: Writer,
    convert: Convert,
    *,
    force: bool = False,
    empty: Object | None = None,
) -> Object:
    """The live object with a configuration applied to it. Raises Refused.

    An object whose fields nobody followed is taken as an update of the `empty` one.
    """
    _check_applied(live, config, writer, convert)
    try:
        found = kept.read(kept.of_object(live))
    except Unreadable as error:
        raise Refused(500, "", f"failed to decode managed fields: {error}") from error
    old = kept.bare(live)
    try:
        if not found and not _is_empty(live):
            first = replace(writer, manager=BEFORE_FIRST_APPLY)
            found = kept.capped(ownership.updated(found, empty or {}, old, first, convert))
        new, after = _applied(found, old, config, writer, convert, force=force)
    except Unnamed as error:
        _refuse_faults("live", old, writer, convert)
        raise Refused(500, "", f"failed to merge config: {error}") from error
    return kept.put(last_applied.synchronized(old if new is None else new, config, writer), after)


def _applied(
    found: Entries, old: Object, config: Object, writer: Writer, convert: Convert, *, force: bool
) -> tuple[Object | None, Entries]:
    try:
        return ownership.applied(found, old, config, writer, convert, force=force)
    except Conflicts as conflicts:
        left = last_applied.conflicts_left(conflicts, old, writer, convert)
        if left:
            raise refusal(left) from None
        return ownership.applied(found, old, config, writer, convert, force=True)


def _is_empty(live: Object) -> bool:
    return not (live.get("metadata") or {}).get("uid")


def _entries_for(live: Object, new: Object, writer: Writer) -> Entries:
    """The entries to start from: a client may send others than the live ones, or reset them by an empty one."""
    if not writer.subresource:
        raw = kept.of_object(new)
        if raw in ([], [{}]):
            return {}
        sent = _read_or_none(raw)
        if sent:
            return sent
    return _read_or_none(kept.of_object(live))


def _read_or_none(raw: object) -> Entries:
    try:
        return kept.read(raw)
    except Unreadable:
        return {}


def _check_applied(live: Object, config: Object, writer: Writer, convert: Convert) -> None:
    kind = config.get("kind", "")
    if config.get("apiVersion") != writer.api_version or ("kind" in live and kind != live["kind"]):
        raise bad_request(f"invalid object type: {_type_in_words(config)}")
    if kept.of_object(config) is not None:
        raise bad_request("metadata.managedFields must be nil")
    _refuse_faults("patch", config, writer, convert)


def _refuse_faults(which: str, value: Object, writer: Writer, convert: Convert) -> None:
    """Raises Refused for an object that cannot be merged. Only in a live one a key may stand twice."""
    typed = convert(value, writer.api_version)
    try:
        if typed is not None:
            check(typed.value, typed.shape, doubles=which == "live")
    except Untypable as error:
        raise Refused(500, "", f"failed to create typed {which} object ({_in_words(value)}): {error}") from error


def _in_words(value: Object) -> str:
    metadata = value.get("metadata") or {}
    return f"{metadata.get('namespace', '')}/{metadata.get('name', '')}; {_type_in_words(value)}"


def _type_in_words(value: Object) -> str:
    version = str(value.get("apiVersion", ""))
    return f"{version if '/' in version else '/' + version}, Kind={value.get('kind', '')}"
