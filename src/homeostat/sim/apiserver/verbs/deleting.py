"""Delete: at once, or by a mark that those who hold the object act on; of one object, or of all that are chosen."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

import msgspec
from msgspec import Struct, field

from homeostat.kit.clock import Clock
from homeostat.sim.apiserver.admission.admission import Admission
from homeostat.sim.apiserver.answer import Answer, told
from homeostat.sim.apiserver.refusing import bad_request
from homeostat.sim.apiserver.schemas.causes import invalid, not_supported
from homeostat.sim.apiserver.store.record import Record, record
from homeostat.sim.apiserver.store.store import Store
from homeostat.sim.apiserver.types.metadata import stamp
from homeostat.sim.apiserver.types.routing import Asked
from homeostat.sim.apiserver.types.type import Type, Value
from homeostat.sim.apiserver.verbs.reading import existing, listed, selection
from homeostat.sim.apiserver.verbs.writing import conflict, is_over

Propagation = Literal["Background", "Foreground", "Orphan"]
# By these the garbage collector knows what to do with those that an object owns, before the object itself goes.
_HELD_FOR: dict[Propagation, str] = {"Foreground": "foregroundDeletion", "Orphan": "orphan"}


class Preconditions(Struct, frozen=True, rename={"resource_version": "resourceVersion"}):
    """What must be true of the object, or it is another one than was meant."""

    uid: str = ""
    resource_version: str = ""


class DeleteOptions(Struct, frozen=True, rename="camel"):
    """How to delete, as clients say it in a body."""

    kind: str = ""
    api_version: str = ""
    grace_period_seconds: int | None = None
    preconditions: Preconditions = field(default_factory=Preconditions)
    propagation_policy: str | None = None
    orphan_dependents: bool | None = None
    dry_run: tuple[str, ...] = ()


_PROPAGATIONS = ("Foreground", "Background", "Orphan")
_options = msgspec.json.Decoder(DeleteOptions)


class Deleter:
    """Ends objects of one server."""

    def __init__(self, store: Store, clock: Clock, admission: Admission) -> None:
        self._store = store
        self._clock = clock
        self._admission = admission

    async def delete(self, asked: Asked, body: bytes) -> Answer:
        """End one object, or ask for its end. Raises Refused."""
        options = read_options(asked, body)
        if self._admission.asks_about(asked):
            shelf = self._store.shelf(asked.type.collection)
            is_same = False
            while not is_same:
                kept = existing(self._store, asked)
                await self._judge(asked, kept, options)
                is_same = shelf.get(kept.key) is kept
        return self.end(asked, options)

    def end(self, asked: Asked, options: DeleteOptions) -> Answer:
        """End one object, and ask nobody. Raises Refused."""
        kept = existing(self._store, asked)
        value = kept.value(asked.type.head)
        _check(asked.type, kept, value, options.preconditions)
        shown = self._end(asked.type, kept, value, options, is_dry_run=_is_dry_run(asked, options))
        if shown is not None:
            return Answer(200, shown.shown(asked.type.head))
        if asked.type.strategy.returns_deleted:
            return Answer(200, record(value, kept.revision).shown(asked.type.head))
        resource = asked.type.resource
        details = {"name": kept.name, "group": resource.group, "kind": resource.plural, "uid": value["metadata"]["uid"]}
        status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
        return told(status | {"details": {key: each for key, each in details.items() if each}})

    async def delete_all(self, asked: Asked, body: bytes) -> Answer:
        """End all objects that are chosen; the list of them. Raises Refused."""
        options, chosen, type_ = read_options(asked, body), selection(asked), asked.type
        is_dry_run = _is_dry_run(asked, options)
        found = [each for each in self._store.shelf(type_.collection).within(chosen.namespace) if chosen.has(each)]
        shelf, is_asked = self._store.shelf(type_.collection), self._admission.asks_about(asked)
        for each in found:
            kept: Record | None = each
            while is_asked and kept is not None:
                await self._judge(asked, kept, options)
                before, kept = kept, shelf.get(each.key)
                if kept is before:
                    break
            if kept is None:
                continue
            self._end(type_, kept, kept.value(type_.head), options, is_dry_run=is_dry_run)
        return listed(type_, found, self._store.revision)

    async def _judge(self, asked: Asked, kept: Record, options: DeleteOptions) -> None:
        value = kept.value(asked.type.head)
        _check(asked.type, kept, value, options.preconditions)
        said = msgspec.json.decode(msgspec.json.encode(options))  # plain, as expressions want it
        del said["kind"], said["apiVersion"]
        said["preconditions"] = {key: each for key, each in said["preconditions"].items() if each}
        told = {key: each for key, each in said.items() if each not in (None, [], (), {})}
        await self._admission.judge_end(asked, value, told, is_dry_run=_is_dry_run(asked, options))

    def _end(
        self, type_: Type, kept: Record, value: Value, options: DeleteOptions, *, is_dry_run: bool
    ) -> Record | None:
        """The object as it waits for its end; None when that has come."""
        self._mark(type_, value, options)
        made = record(value, kept.revision, type_.strategy.fields(value))
        if is_over(type_, value):
            type_.strategy.check_end(value)
            if not is_dry_run:
                self._store.drop(type_.collection, kept.key)
                type_.strategy.on_gone(value)
            return None
        if is_dry_run or made.rest == kept.rest:
            return made
        return self._store.put(type_.collection, made)

    def _mark(self, type_: Type, value: Value, options: DeleteOptions) -> None:
        metadata = value["metadata"]
        default: Propagation = "Orphan" if type_.strategy.orphans else "Background"
        if options.orphan_dependents is not None:
            default = "Orphan" if options.orphan_dependents else "Background"
        policy = options.propagation_policy or default
        held = {each for each in metadata.get("finalizers", ()) if each not in _HELD_FOR.values()}
        names = [each for each in metadata.get("finalizers", ()) if each in held]
        if policy in _HELD_FOR:
            names.append(_HELD_FOR[policy])
        if names:
            metadata["finalizers"] = names
        else:
            metadata.pop("finalizers", None)
        grace_s = type_.strategy.grace_s(value, options.grace_period_seconds)
        if "deletionTimestamp" in metadata and metadata.get("deletionGracePeriodSeconds", 0) <= grace_s:
            return
        is_first = "deletionTimestamp" not in metadata
        metadata["deletionTimestamp"] = stamp(self._clock.now() + timedelta(seconds=grace_s))
        metadata["deletionGracePeriodSeconds"] = grace_s
        type_.strategy.on_delete(value)
        if is_first and "generation" in metadata:
            metadata["generation"] += 1


def read_options(asked: Asked, body: bytes) -> DeleteOptions:
    """What a request says of the way to delete, in its body or in its query. Raises Refused."""
    try:
        options = _options.decode(body) if body else DeleteOptions()
        if options.kind not in ("", "DeleteOptions"):
            raise bad_request(f'no kind "{options.kind}" is registered for version "{options.api_version}" in scheme')
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise bad_request(f"DeleteOptions: {error}") from error
    query = asked.query
    policy = query.get("propagationPolicy") or options.propagation_policy
    if policy not in (None, *_PROPAGATIONS):
        raise asked.bad_options([not_supported("propagationPolicy", policy, (*_PROPAGATIONS, "nil"))])
    if policy is not None and options.orphan_dependents is not None:
        why = "orphanDependents and deletionPropagation cannot be both set"
        raise asked.bad_options([invalid("propagationPolicy", policy, why)])
    grace = query.get("gracePeriodSeconds", "")
    try:
        grace_s = int(grace) if grace else options.grace_period_seconds
    except ValueError as error:
        raise bad_request(f'strconv.ParseInt: parsing "{grace}": invalid syntax') from error
    changed = {"propagation_policy": policy, "grace_period_seconds": grace_s}
    return msgspec.structs.replace(options, **changed)


def _is_dry_run(asked: Asked, options: DeleteOptions) -> bool:
    return asked.is_dry_run or "All" in options.dry_run


def _check(type_: Type, kept: Record, value: Value, wanted: Preconditions) -> None:
    uid = value["metadata"]["uid"]
    if wanted.uid and wanted.uid != uid:
        why = f"Precondition failed: UID in precondition: {wanted.uid}, UID in object meta: {uid}"
        raise conflict(type_, kept.name, why)
    if wanted.resource_version and wanted.resource_version != str(kept.revision):
        why = (
            f"the ResourceVersion in the precondition ({wanted.resource_version}) does not match the ResourceVersion in"
            f" record ({kept.revision}). The object might have been modified"
        )
        raise conflict(type_, kept.name, why)
