"""Revisions: the templates of a StatefulSet or a DaemonSet, kept so that one can go back.

The one of the present template has the highest number; one that is taken up again gets a new number.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, Protocol

import msgspec

from homeostat.api.kind import Kind
from homeostat.api.meta import ObjectMeta
from homeostat.kube.client import Client
from homeostat.kube.errors import AlreadyExists, NotFound
from homeostat.runtime.store import Store
from homeostat.sim.world.controllers.workloads.owning import Note, reference_to
from homeostat.sim.world.controllers.workloads.telling import MANAGER
from homeostat.sim.world.controllers.workloads.templates import Digests, Template, digest_of, hash_of, read
from homeostat.sim.world.kinds.workloads import CONTROLLER_REVISION, ControllerRevision, WorkloadSpec


class HasTemplate(Protocol):
    """A workload."""

    @property
    def metadata(self) -> ObjectMeta:
        """Its metadata."""
        ...

    @property
    def spec(self) -> WorkloadSpec:
        """Its template is there."""
        ...


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


def new_revision(kind: Kind[Any], owner: HasTemplate, name: str, number: int, hash_label: str) -> dict[str, Any]:
    """A revision of the present template, as the patch that would bring it back."""
    template, meta = read(owner.spec.template), owner.metadata
    labels = (template.get("metadata") or {}).get("labels") or {}
    return {
        "metadata": {
            "name": f"{meta.name}-{name}",
            "namespace": meta.namespace,
            "labels": {**labels, hash_label: name},
            "annotations": dict(meta.annotations),
            "ownerReferences": [reference_to(kind, owner)],
        },
        "data": {"spec": {"template": {**template, "$patch": "replace"}}},
        "revision": number,
    }


def too_old(revisions: Sequence[ControllerRevision], used: Iterable[str], limit: int) -> list[ControllerRevision]:
    """Revisions that nobody uses, beyond so many."""
    kept = set(used)
    free = [each for each in in_order(revisions) if each.metadata.name not in kept]
    return free[: max(len(free) - limit, 0)]


class Revisions:
    """Keeps the revisions of workloads of one kind. `hash_label` is where a revision says its hash."""

    def __init__(self, client: Client, kind: Kind[Any], store: Store[ControllerRevision], hash_label: str) -> None:
        self._client = client
        self._kind = kind
        self._store = store
        self._hash_label = hash_label
        self._digests = Digests()
        self._kept: dict[str, str] = {}  # digests of revisions, which do not change, by uid

    def forget_owner(self, owner: HasTemplate) -> None:
        """It is gone."""
        self._digests.forget(owner)

    def forget(self, old: ControllerRevision | None, new: ControllerRevision | None, _: object) -> None:
        """A handler of changes."""
        if new is None and old is not None:
            self._kept.pop(old.metadata.uid, None)

    async def newest(
        self, owner: HasTemplate, revisions: Sequence[ControllerRevision], collisions: int, note: Note
    ) -> tuple[ControllerRevision, int]:
        """The revision of the present template, of those in order, and how often a name was taken. Raises KubeError."""
        digest = self._digests.of(owner, owner.spec.template)
        number = max((each.revision for each in revisions), default=0) + 1
        same = [each for each in revisions if self._digest(each) == digest]
        if same and same[-1] is revisions[-1]:
            return same[-1], collisions
        namespace = owner.metadata.namespace
        if same:
            name, body = same[-1].metadata.name, {"revision": number}
            moved = await self._client.merge_patch(CONTROLLER_REVISION, name, body, namespace, field_manager=MANAGER)
            note(self._store, moved.metadata.resource_version)
            return moved, collisions
        while True:
            wanted = new_revision(self._kind, owner, hash_of(digest, collisions), number, self._hash_label)
            try:
                made = await self._client.create(CONTROLLER_REVISION, wanted, namespace, field_manager=MANAGER)
            except AlreadyExists:
                there = await self._client.get(CONTROLLER_REVISION, wanted["metadata"]["name"], namespace)
                if self._digest(there) == digest:
                    return there, collisions
                collisions += 1
                continue
            note(self._store, made.metadata.resource_version)
            return made, collisions

    async def prune(self, revisions: Sequence[ControllerRevision], used: Iterable[str], limit: int) -> None:
        """Let go of those that nobody uses, beyond so many. Raises KubeError."""
        for each in too_old(revisions, used, limit):
            meta = each.metadata
            with suppress(NotFound):
                await self._client.delete(CONTROLLER_REVISION, meta.name, meta.namespace, uid=meta.uid)

    def _digest(self, revision: ControllerRevision) -> str:
        uid = revision.metadata.uid
        if uid not in self._kept:
            self._kept[uid] = digest_in(revision)
        return self._kept[uid]
