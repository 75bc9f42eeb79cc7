"""The loop that binds claims and tells volumes what they are."""

from __future__ import annotations

from collections.abc import Iterable

from homeostat.kube.client import Client
from homeostat.kube.errors import NotFound
from homeostat.runtime.events import Note, reference
from homeostat.runtime.manager import Manager
from homeostat.runtime.outcome import DONE, Outcome
from homeostat.sim.world.controllers.loops import loop as make_loop
from homeostat.sim.world.controllers.volumes.binding import Decision, Found, Write, decide, decide_volume
from homeostat.sim.world.kinds.volumes import (
    CLAIM,
    DEFAULT_CLASS,
    STORAGE_CLASS,
    VOLUME,
    Claim,
    PersistentVolume,
    StorageClass,
)
from homeostat.sim.world.scheduler.stock import FREE, free_of_class

NAME = "persistentvolume-controller"
LOCAL_PATH = "rancher.io/local-path"
_OF_CLAIM, _NAMED_BY, _UNBOUND = "claim", "volume-name", "unbound-of-class"
_VOLUME = "pv:"  # what the key of a volume begins with; those of claims have a namespace


def claim_of(volume: PersistentVolume) -> Iterable[str]:
    """An index: the claim that a volume names."""
    return (volume.spec.claim_ref.key,) if volume.spec.claim_ref is not None else ()


def volume_of(claim: Claim) -> Iterable[str]:
    """An index: the volume that a claim names."""
    return (claim.spec.volume_name,) if claim.spec.volume_name else ()


def unbound_of_class(claim: Claim) -> Iterable[str]:
    """An index: the class of a claim without a volume."""
    return () if claim.spec.volume_name else (claim.spec.storage_class_name or "",)


def add_volume_binder(manager: Manager, client: Client, provisioners: Iterable[str] = (LOCAL_PATH,)) -> None:
    """Bind claims to volumes; those of these provisioners are deleted by them."""
    _Binder(manager, client, frozenset(provisioners))


class _Binder:
    def __init__(self, manager: Manager, client: Client, provisioners: frozenset[str]) -> None:
        self._client = client
        self._provisioners = provisioners
        self._recorder = manager.recorder(client, NAME)
        self._claims = manager.informer(client, CLAIM, indexes={_NAMED_BY: volume_of, _UNBOUND: unbound_of_class})
        self._volumes = manager.informer(client, VOLUME, indexes={_OF_CLAIM: claim_of, FREE: free_of_class})
        self._classes = manager.informer(client, STORAGE_CLASS)
        loop = make_loop(manager, NAME, self._reconcile)
        loop.watch(self._claims)
        loop.watch(self._claims, self._volumes_of)
        loop.watch(self._volumes, self._about_volume)
        loop.watch(self._classes, self._about_class)
        self._writes = loop.writes

    def _volumes_of(self, claim: Claim) -> Iterable[str]:
        names = [each.metadata.name for each in self._volumes.store.by_index(_OF_CLAIM, claim.metadata.key)]
        return [f"{_VOLUME}{name}" for name in dict.fromkeys((*volume_of(claim), *names))]

    def _about_volume(self, volume: PersistentVolume) -> Iterable[str]:
        """The volume, its claim; or, of a free one, those who may be glad of it."""
        keys = [f"{_VOLUME}{volume.metadata.name}", *claim_of(volume)]
        keys += [each.metadata.key for each in self._claims.store.by_index(_NAMED_BY, volume.metadata.name)]
        if volume.spec.claim_ref is None:
            waiting = self._claims.store.by_index(_UNBOUND, volume.spec.storage_class_name)
            keys += [each.metadata.key for each in waiting]
        return dict.fromkeys(keys)

    def _about_class(self, class_: StorageClass) -> Iterable[str]:
        names = [class_.metadata.name, ""] if _is_default(class_) else [class_.metadata.name]
        return [each.metadata.key for name in names for each in self._claims.store.by_index(_UNBOUND, name)]

    async def _reconcile(self, key: str) -> Outcome:
        if key.startswith(_VOLUME):
            volume = self._volumes.store.get(key.removeprefix(_VOLUME))
            if volume is not None:
                owner = volume.spec.claim_ref
                claim = self._claims.store.get(owner.key) if owner is not None else None
                decision = decide_volume(volume, claim, self._provisioners)
                await self._do(key, decision, None, volume)
            return DONE
        claim = self._claims.store.get(key)
        if claim is not None:
            decision = decide(self._found(claim))
            await self._do(key, decision, claim, decision.volume)
        return DONE

    def _found(self, claim: Claim) -> Found:
        volumes, class_name = self._volumes.store, claim.spec.storage_class_name
        return Found(
            claim,
            volumes.get(claim.spec.volume_name) if claim.spec.volume_name else None,
            tuple(volumes.by_index(_OF_CLAIM, claim.metadata.key)),
            tuple(each for each in volumes.by_index(FREE, class_name or "") if each.status.phase == "Available"),
            self._classes.store.get(class_name) if class_name else None,
            self._default_class() if class_name is None else "",
        )

    def _default_class(self) -> str:
        """The newest of the default classes."""
        return default_class(self._classes.store.values())

    async def _do(self, key: str, decision: Decision, claim: Claim | None, volume: PersistentVolume | None) -> None:
        try:
            for write in decision.writes:
                await self._write(key, write, claim, volume)
        except NotFound:
            return  # gone meanwhile: its deletion wakes whom it concerns
        if decision.told is not None:
            told = decision.told
            note = Note(told.reason, told.note, "Warning" if told.is_warning else "Normal", "Bind")
            about = reference(CLAIM, claim) if claim is not None else None
            if about is None and volume is not None:
                about = reference(VOLUME, volume)
            if about is not None:
                self._recorder.tell(about, note)

    async def _write(self, key: str, write: Write, claim: Claim | None, volume: PersistentVolume | None) -> None:
        below = "status" if write.is_status else ""
        if write.on == "claim" and claim is not None:
            meta = claim.metadata
            made = await self._client.merge_patch(CLAIM, meta.name, write.patch, meta.namespace, subresource=below)
            self._writes.note(key, self._claims.store, made.metadata.resource_version)
        elif write.on == "volume" and volume is not None:
            bound = await self._client.merge_patch(VOLUME, volume.metadata.name, write.patch, subresource=below)
            self._writes.note(key, self._volumes.store, bound.metadata.resource_version)


def default_class(classes: Iterable[StorageClass]) -> str:
    """The newest of the default classes; empty when there is none."""
    found = [each for each in classes if _is_default(each)]
    newest = max(found, key=lambda each: (str(each.metadata.creation_timestamp), each.metadata.name), default=None)
    return newest.metadata.name if newest is not None else ""


def _is_default(class_: StorageClass) -> bool:
    return class_.metadata.annotations.get(DEFAULT_CLASS) == "true"
