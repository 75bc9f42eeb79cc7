"""Create and change: from what a client sent to what is kept, or to why it is not.

Every change runs through the same stations: the object's place, what the client may not set, what its schema fills in
and drops, who owns which fields, what its type does with it, whether it is allowed, and whether it is a change at all:
what changes nothing is not written.
Nothing is awaited between reading and keeping, so a change never meets another one; but where webhooks are asked, and
there a change begins anew when it has met one.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable

from homeostat.kit.clock import Clock
from homeostat.kit.random import Random
from homeostat.sim.apiserver.admission.admission import Admission
from homeostat.sim.apiserver.admission.quotas import Charge
from homeostat.sim.apiserver.admission.reviewed import creation, update
from homeostat.sim.apiserver.answer import Answer, told
from homeostat.sim.apiserver.fields.entries import steady
from homeostat.sim.apiserver.refusing import Cause, Refused, bad_request, invalid
from homeostat.sim.apiserver.store.record import Record, key_of, record
from homeostat.sim.apiserver.store.store import Store
from homeostat.sim.apiserver.types import metadata
from homeostat.sim.apiserver.types.routing import Asked
from homeostat.sim.apiserver.types.type import Type, Value
from homeostat.sim.apiserver.verbs import owning
from homeostat.sim.apiserver.verbs.bodies import placed, sent
from homeostat.sim.apiserver.verbs.reading import existing

Change = Callable[[Value], Value]
"""From an object as it is to what a client wants it to be; gets one of its own."""
_STATUS = "status"
_NAMESPACES = ("", "namespaces")
SELF = "kube-apiserver"  # as a server calls itself
_BORN_WITH = ("uid", "creationTimestamp", "generation")


class Writer:
    """Writes objects of one server."""

    def __init__(self, store: Store, clock: Clock, random: Random, admission: Admission, quotas: Type) -> None:
        self._store = store
        self._clock = clock
        self._admission = admission
        self._random = random
        self._quotas = quotas

    async def create(self, asked: Asked, body: bytes) -> Answer:
        """A new object. Raises Refused."""
        return await self.make(asked, sent(body, asked))

    async def make(self, asked: Asked, value: Value, *, is_owned: bool = False) -> Answer:
        """A new object, of a value that is the caller's to give, and may say whose it is already. Raises Refused."""
        type_, given, is_asked = asked.type, value["metadata"].get("name", ""), self._admission.asks_about(asked)
        metadata.begin(value, asked.namespace, now=self._clock.now(), random=self._random)
        name = value["metadata"].get("name", "")
        self._check_namespace(asked, name)
        if type_.counts_generations:
            value["metadata"]["generation"] = 1
        if _STATUS in type_.subresources and not type_.strategy.keeps_first_status:
            value.pop(_STATUS, None)
        type_.schema.default(value)
        if not is_owned:
            value = owning.updated(None, value, asked, self._clock.now())
        self._admission.furnish(asked, value, given)
        if is_asked:
            value = await self._changed_before_birth(asked, value, given)
            self._admission.furnish(asked, value, given)
        type_.strategy.on_asked(value, asked.user)
        type_.strategy.on_create(value)
        _check(asked, value, None)
        self._admission.check_limits(asked, value, None)
        if is_asked:
            await self._admission.judge(creation(asked, copy.deepcopy(value), value["metadata"]["name"]))
            self._check_namespace(asked, name)
            name = value["metadata"]["name"]
        charges = self._admission.charges(asked, value, None)
        there = self._store.shelf(type_.collection).get(key_of(asked.namespace, name))
        if there is not None:
            raise _exists(type_, there)
        if asked.is_dry_run:
            return told(value, 201)
        self._charge(asked.namespace, charges)
        made = record(value, 0, type_.strategy.fields(value))
        return Answer(201, self._keep(type_, value, made).shown(type_.head))

    async def replace(self, asked: Asked, body: bytes) -> Answer:
        """The whole object. Raises Refused."""
        wanted = sent(body, asked)
        if not wanted["metadata"].get("name"):
            raise bad_request("name must be provided")
        if self.may_begin_anew(asked):
            return await self.change(asked, lambda _: copy.deepcopy(wanted))
        return await self.change(asked, lambda _: wanted)

    async def change(self, asked: Asked, change: Change, *, is_owned: bool = False) -> Answer:
        """Whatever a change makes of an object, or of its status; it may be asked for that several times.

        Raises Refused.
        """
        is_asked = self.may_begin_anew(asked) and (not asked.subresource or asked.writes_status)
        while True:
            kept = existing(self._store, asked)
            old = kept.value(asked.type.head)
            new = self._planned(asked, kept, old, change(kept.value(asked.type.head)), is_owned=is_owned)
            if is_asked:
                made = await self._admission.change(update(asked, new, old))
                metadata.go_on(made, old)
                new = _settled(asked, placed(made, asked), old)
            _finish(asked, new, old)
            _check(asked, new, old)
            self._admission.check_limits(asked, new, old)
            if is_asked:
                await self._admission.judge(update(asked, copy.deepcopy(new), old))
            if not is_asked or self._store.shelf(asked.type.collection).get(kept.key) is kept:
                charges = self._admission.charges(asked, new, old)
                if not asked.is_dry_run:
                    self._charge(asked.namespace, charges)
                return self._kept(asked, kept, old, new)

    def may_begin_anew(self, asked: Asked) -> bool:
        """Whether somebody is asked about a change, so that it may meet another one."""
        return self._admission.asks_about(asked)

    def _planned(self, asked: Asked, kept: Record, old: Value, new: Value, *, is_owned: bool) -> Value:
        """What a client wants of an object, as far as it is his to say. Raises Refused."""
        type_ = asked.type
        _check_versions(type_, kept, old, new)
        metadata.go_on(new, old)
        new = _settled(asked, new, old)
        return new if is_owned else owning.updated(old, new, asked, self._clock.now())

    def _kept(self, asked: Asked, kept: Record, old: Value, new: Value) -> Answer:
        """Keep what has become of an object, unless it is what it was."""
        type_ = asked.type
        new = steady(old, new)
        made = record(new, kept.revision, type_.strategy.fields(new))
        if made.rest == kept.rest:
            return Answer(200, kept.shown(type_.head))
        if asked.is_dry_run:
            return Answer(200, made.shown(type_.head))
        if is_over(type_, new):
            revision = self._store.drop(type_.collection, kept.key)
            type_.strategy.on_gone(new)
            return Answer(200, made.at(revision).shown(type_.head))
        return Answer(200, self._keep(type_, new, made).shown(type_.head))

    async def _changed_before_birth(self, asked: Asked, value: Value, given: str) -> Value:
        """A new object as webhooks make it. They see it without what only the server gives it. Raises Refused."""
        born = {key: value["metadata"][key] for key in _BORN_WITH if key in value["metadata"]}
        seen = {**value, "metadata": {key: each for key, each in value["metadata"].items() if key not in born}}
        if not given:
            born["name"] = seen["metadata"].pop("name", "")
        made = await self._admission.change(creation(asked, seen, given))
        made["metadata"] = {**born, **made["metadata"], **{key: each for key, each in born.items() if key != "name"}}
        return placed(made, asked)

    def _charge(self, namespace: str, charges: Iterable[Charge]) -> None:
        """Write to quotas what is taken of them, as the server itself; nobody is asked about that."""
        for charge in charges:
            type_, name = self._quotas, charge.quota
            asked = Asked(verb="update", type=type_, namespace=namespace, name=name, subresource=_STATUS, agent=SELF)
            kept = existing(self._store, asked)
            old, new = kept.value(asked.type.head), kept.value(asked.type.head)
            new[_STATUS]["used"] = charge.used
            self._kept(asked, kept, old, self._planned(asked, kept, old, new, is_owned=False))

    def _keep(self, type_: Type, value: Value, made: Record) -> Record:
        kept = self._store.put(type_.collection, made)
        type_.strategy.on_stored(value)
        return kept

    def _check_namespace(self, asked: Asked, name: str) -> None:
        if not asked.namespace:
            return
        found = self._store.shelf(_NAMESPACES).get(key_of("", asked.namespace))
        if found is None:
            text = f'namespaces "{asked.namespace}" not found'
            raise Refused(404, "NotFound", text, kind="namespaces", name=asked.namespace)
        if metadata.is_ending(found.value(b"")):
            raise _ending_namespace(asked, name)


def _settled(asked: Asked, new: Value, old: Value) -> Value:
    """What is left of a change when all is put back that its way does not lead to."""
    type_ = asked.type
    if asked.writes_status:
        new = {**old, "metadata": _written_with_status(type_, new["metadata"], old["metadata"])} | _only(new, _STATUS)
    elif _STATUS in type_.subresources:
        new.pop(_STATUS, None)
        new |= _only(old, _STATUS)
    type_.schema.default(new)
    return new


def _written_with_status(type_: Type, new: Value, old: Value) -> Value:
    if type_.keeps_metadata_of_status:
        return {**old, **_only(new, "managedFields")}
    kept = type_.strategy.keeps_of_status
    return {key: each for key, each in new.items() if key not in kept} | {
        key: each for key, each in old.items() if key in kept
    }


def _finish(asked: Asked, new: Value, old: Value) -> None:
    """What the type itself does to a change, when it is known who made it."""
    type_ = asked.type
    if asked.writes_status:
        type_.strategy.below(asked.subresource).on_status(new, old)
        return
    type_.strategy.on_update(new, old)
    if type_.counts_generations and _meant(new) != _meant(old):
        new["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1


def is_over(type_: Type, value: Value) -> bool:
    """Whether an object whose end was asked for is held by nobody any more."""
    ending = value["metadata"]
    if "deletionTimestamp" not in ending or ending.get("deletionGracePeriodSeconds"):
        return False
    return not metadata.finalizers(value) and not type_.strategy.is_held(value)


def conflict(type_: Type, name: str, why: str) -> Refused:
    """Somebody else was first, or something else is there than was thought."""
    text = f'Operation cannot be fulfilled on {type_.qualified} "{name}": {why}'
    return Refused(409, "Conflict", text, group=type_.resource.group, kind=type_.resource.plural, name=name)


def modified(type_: Type, name: str) -> Refused:
    """What was sent was made from another version than the one that is kept."""
    why = "the object has been modified; please apply your changes to the latest version and try again"
    return conflict(type_, name, why)


def _check_versions(type_: Type, kept: Record, old: Value, new: Value) -> None:
    """An object that was read under another version, or another one of that name, is not to be overwritten."""
    version, uid = new["metadata"].get("resourceVersion"), new["metadata"].get("uid")
    if uid and uid != old["metadata"]["uid"]:
        why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {old['metadata']['uid']}"
        raise conflict(type_, kept.name, why)
    if not version and (type_.is_custom or type_.strategy.needs_version):
        text = "Invalid value: 0: must be specified for an update"
        cause = Cause("FieldValueInvalid", text, "metadata.resourceVersion")
        raise invalid(type_.resource.group, type_.resource.plural, kept.name, [cause])
    if version and not version.isdecimal():
        raise Refused(500, "", f'strconv.ParseUint: parsing "{version}": invalid syntax')
    if version and version != str(kept.revision):
        raise modified(type_, kept.name)


def _check(asked: Asked, value: Value, old: Value | None) -> None:
    type_, strategy = asked.type, asked.type.strategy.below(asked.subresource)
    found: list[Cause] = []
    sources: tuple[Iterable[Cause], ...] = (
        metadata.causes(value, old, strategy.names, qualifies=type_.qualifies_finalizers),
        type_.schema.causes(value, old, is_status=asked.writes_status),
        strategy.causes(value, old),
    )
    for causes in sources:
        found += causes
    if found:
        resource = type_.resource
        raise invalid(resource.group, resource.kind, value["metadata"].get("name", ""), found)
    strategy.admit(value, old, asked.user)
    strategy.check(value)


def _exists(type_: Type, there: Record) -> Refused:
    resource, text = type_.resource, f'{type_.qualified} "{there.name}" already exists'
    if metadata.is_ending(there.value(b"")):
        text = f"object is being deleted: {text}"
    return Refused(409, "AlreadyExists", text, group=resource.group, kind=resource.plural, name=there.name)


def _ending_namespace(asked: Asked, name: str) -> Refused:
    resource, namespace = asked.type.resource, asked.namespace
    why = f"unable to create new content in namespace {namespace} because it is being terminated"
    text = f'{asked.type.qualified} "{name}" is forbidden: {why}'
    cause = Cause("NamespaceTerminating", f"namespace {namespace} is being terminated", "metadata.namespace")
    return Refused(403, "Forbidden", text, group=resource.group, kind=resource.plural, name=name, causes=[cause])


def _meant(value: Value) -> Value:
    return {key: each for key, each in value.items() if key not in ("metadata", "status", "kind", "apiVersion")}


def _only(value: Value, key: str) -> Value:
    return {key: value[key]} if key in value else {}
