"""Revisions of a StatefulSet: templates that are kept, so that one can go back. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from homeostat.sim.world.controllers.workloads.owning import reference_to
from homeostat.sim.world.controllers.workloads.templates import Template, digest_of, read
from homeostat.sim.world.kinds.workloads import STATEFUL_SET, ControllerRevision, StatefulSet

HASH = "controller.kubernetes.io/hash"


def template_in(revision: ControllerRevision) -> Template:
    """The template that a revision keeps."""
    template: Template = msgspec.json.decode(revision.data)["spec"]["template"]
    template.pop("$patch", None)
    return template


def digest_in(revision: ControllerRevision) -> str:
    """What tells its template from others."""
    return digest_of(msgspec.Raw(msgspec.json.encode(template_in(revision))))


def in_order(revisions: Iterable[ControllerRevision]) -> list[ControllerRevision]:
    """The oldest first."""
    return sorted(revisions, key=lambda each: (each.revision, each.metadata.name))


def new_revision(owner: StatefulSet, name: str, number: int) -> dict[str, Any]:
    """A revision of the present template, as the patch that would bring it back."""
    template, meta = read(owner.spec.template), owner.metadata
    labels = (template.get("metadata") or {}).get("labels") or {}
    return {
        "metadata": {
            "name": f"{meta.name}-{name}",
            "namespace": meta.namespace,
            "labels": {**labels, HASH: name},
            "annotations": dict(meta.annotations),
            "ownerReferences": [reference_to(STATEFUL_SET, owner)],
        },
        "data": {"spec": {"template": {**template, "$patch": "replace"}}},
        "revision": number,
    }


def too_old(revisions: Sequence[ControllerRevision], used: Iterable[str], limit: int) -> list[ControllerRevision]:
    """Revisions that nobody uses, beyond so many."""
    kept = set(used)
    free = [each for each in in_order(revisions) if each.metadata.name not in kept]
    return free[: max(len(free) - limit, 0)]
