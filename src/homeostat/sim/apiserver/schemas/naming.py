"""The names of a CRD and of the resource that it makes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from homeostat.sim.apiserver.refusing import Cause
from homeostat.sim.apiserver.schemas import causes
from homeostat.sim.apiserver.schemas.causes import at_index, child
from homeostat.sim.apiserver.schemas.rfc import dns_1035_label_faults, dns_subdomain_faults

_MIXED = "may have mixed case, but should otherwise match: "


def name_causes(crd: Mapping[str, Any], spec: Mapping[str, Any]) -> Iterator[Cause]:
    """Faults of the CRD's own name, and of its group."""
    name, group = (crd.get("metadata") or {}).get("name", ""), spec.get("group", "")
    plural = (spec.get("names") or {}).get("plural", "")
    if not name:
        yield causes.required("metadata.name", "name or generateName is required")
    else:
        for fault in dns_subdomain_faults(name):
            yield causes.invalid("metadata.name", name, fault)
        if name != f"{plural}.{group}":
            yield causes.invalid("metadata.name", name, 'must be spec.names.plural+"."+spec.group')
    if not group:
        yield causes.required("spec.group")
    elif faults := dns_subdomain_faults(group):
        yield causes.invalid("spec.group", group, ",".join(faults))
    elif "." not in group:
        yield causes.invalid("spec.group", group, "should be a domain with at least one dot")


def names_causes(names: Mapping[str, Any], path: str, *, required: bool = False) -> Iterator[Cause]:
    """Faults of the names of the resource and its kind."""
    words = ("plural", "singular", "kind", "listKind")
    if required:
        yield from (causes.required(child(path, word)) for word in words if not names.get(word))
    for word in words:
        text = names.get(word, "")
        is_kind = word in ("kind", "listKind")
        if text and (faults := dns_1035_label_faults(text.lower() if is_kind else text)):
            yield causes.invalid(child(path, word), text, (_MIXED if is_kind else "") + ",".join(faults))
    yield from _labels(names.get("shortNames") or (), child(path, "shortNames"))
    if names.get("kind") and names["kind"] == names.get("listKind"):
        yield causes.invalid(child(path, "listKind"), names["listKind"], "kind and listKind may not be the same")
    yield from _labels(names.get("categories") or (), child(path, "categories"))


def _labels(texts: Sequence[str], path: str) -> Iterator[Cause]:
    for index, text in enumerate(texts):
        if faults := dns_1035_label_faults(text):
            yield causes.invalid(at_index(path, index), text, ",".join(faults))
