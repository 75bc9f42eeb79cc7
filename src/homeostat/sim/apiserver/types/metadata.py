"""What every object carries: names, identities, times, and which of it nobody may change.

The rules are those of apimachinery's ValidateObjectMeta and of the generic registry, as far as clients meet them.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime

from homeostat.kit.random import Random
from homeostat.sim.apiserver.refusing import Cause
from homeostat.sim.apiserver.schemas.causes import at_index, forbidden, invalid, quoted, required, too_long
from homeostat.sim.apiserver.schemas.labels import annotation_causes, label_causes, label_name_faults
from homeostat.sim.apiserver.schemas.rfc import (
    dns_1035_label_faults,
    dns_label_faults,
    dns_subdomain_faults,
)
from homeostat.sim.apiserver.types.type import NameRule, Value

_MAX_ANNOTATIONS = 256 * 1024
# Vowels and look-alikes are left out, as in apimachinery's rand, so that no word comes out of it.
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_SUFFIX, _MAX_GENERATED = 5, 63
_STANDARD = ("kubernetes", "orphan", "foregroundDeletion")
_NO_NEW_FINALIZERS = "no new finalizers can be added if the object is being deleted, found new finalizers"
IMMUTABLE = "field is immutable"


def stamp(now: datetime) -> str:
    """A moment as objects carry it: whole seconds, in UTC."""
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def generated_name(prefix: str, random: Random) -> str:
    """A name that begins as asked, and ends by chance."""
    suffix = "".join(_LETTERS[random.randrange(0, len(_LETTERS))] for _ in range(_SUFFIX))
    return prefix[: _MAX_GENERATED - _SUFFIX] + suffix


def new_uid(random: Random) -> str:
    """A random UUID of version 4."""
    number = random.randrange(0, 1 << 128) & ~(0xF << 76) | (0x4 << 76)
    text = f"{number & ~(0x3 << 62) | (0x2 << 62):032x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def begin(value: Value, namespace: str, *, now: datetime, random: Random) -> None:
    """Give a new object what the server gives it; whatever the client said of these is dropped."""
    metadata: Value = value["metadata"]
    for given in ("resourceVersion", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "generation"):
        metadata.pop(given, None)
    if not metadata.get("name") and metadata.get("generateName"):
        metadata["name"] = generated_name(metadata["generateName"], random)
    if namespace:
        metadata["namespace"] = namespace
    metadata["uid"] = new_uid(random)
    metadata["creationTimestamp"] = stamp(now)
    value["metadata"] = tidied(metadata)


def go_on(value: Value, old: Value) -> None:
    """Give an update what the object has and no update may take from it."""
    metadata, before = value["metadata"], old["metadata"]
    for kept in ("uid", "creationTimestamp", "generation", "deletionTimestamp", "deletionGracePeriodSeconds"):
        metadata.pop(kept, None)
        if kept in before:
            metadata[kept] = before[kept]
    metadata.pop("selfLink", None)
    value["metadata"] = tidied(metadata)


def tidied(metadata: Value) -> Value:
    """Without what is empty: Go's encoder leaves it out."""
    return {key: each for key, each in metadata.items() if each not in (None, "", {}, [])}


def causes(
    value: Value, old: Value | None = None, rule: NameRule = "subdomain", *, qualifies: bool = False
) -> Iterator[Cause]:
    """What is wrong with the metadata of an object, or with its change.

    `qualifies` is for types whose finalizers must be those of Kubernetes itself, or name a domain.
    """
    metadata: Value = value["metadata"]
    yield from _of_name(metadata, rule)
    yield from label_causes(metadata.get("labels") or {}, "metadata.labels")
    yield from annotation_causes(metadata.get("annotations") or {}, "metadata.annotations")
    size = sum(len(key) + len(each) for key, each in (metadata.get("annotations") or {}).items())
    if size > _MAX_ANNOTATIONS:
        yield too_long("metadata.annotations", _MAX_ANNOTATIONS)
    yield from _of_finalizers(metadata, qualifies=qualifies)
    yield from _of_new_finalizers(metadata, (old or {}).get("metadata", {}))


def _of_name(metadata: Value, rule: NameRule) -> Iterator[Cause]:
    name = metadata.get("name", "")
    if not name:
        yield required(_NAME, "name or generateName is required")
        return
    for fault in _NAME_FAULTS[rule](name):
        yield invalid(_NAME, name, fault)


def segment_faults(name: str) -> list[str]:
    """What is wrong with it as a part of a path."""
    if name in (".", ".."):
        return [f"may not be '{name}'"]
    return [f"may not contain '{each}'" for each in "/%" if each in name]


def address_faults(name: str) -> list[str]:
    """What is wrong with it as an address, which may be written in one way alone."""
    try:
        parsed = ipaddress.ip_address(name)
    except ValueError:
        return ["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"]
    return [] if str(parsed) == name else [f'must be in canonical form ("{parsed}")']


def _of_finalizers(metadata: Value, *, qualifies: bool) -> Iterator[Cause]:
    for index, each in enumerate(_list(metadata, "finalizers")):
        yield from (invalid("metadata.finalizers", each, fault) for fault in label_name_faults(each))
        if qualifies and "/" not in each and each not in _STANDARD:
            text = "name is neither a standard finalizer name nor is it fully qualified"
            yield invalid(at_index("metadata.finalizers", index), each, text)


def _of_new_finalizers(metadata: Value, before: Value) -> Iterator[Cause]:
    if not before.get("deletionTimestamp"):
        return
    added = [each for each in _list(metadata, "finalizers") if each not in _list(before, "finalizers")]
    if added:
        found = ", ".join(quoted(each) for each in added)
        text = f"{_NO_NEW_FINALIZERS} []string{{{found}}}"
        yield forbidden("metadata.finalizers", text)


def is_ending(value: Value) -> bool:
    """Whether somebody has asked for the object's end."""
    return bool(value["metadata"].get("deletionTimestamp"))


def finalizers(value: Value) -> Iterable[str]:
    """Who must still let the object go."""
    return _list(value["metadata"], "finalizers")


def _list(metadata: Value, name: str) -> list[str]:
    return list(metadata.get(name) or ())


_NAME = "metadata.name"
_NAME_FAULTS: Mapping[NameRule, Callable[[str], list[str]]] = {
    "subdomain": dns_subdomain_faults,
    "label": dns_label_faults,
    "label 1035": dns_1035_label_faults,
    "segment": segment_faults,
    "address": address_faults,
}
