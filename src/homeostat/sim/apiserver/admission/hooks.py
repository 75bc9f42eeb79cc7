"""What the answers of webhooks do to a write: change it, end it, or say something about it.

Webhooks that change are asked one after the other, each about what the others made of the object; when something was
changed, those that want it are asked once more. Webhooks that judge are asked all at once, and the first in order that
says no is told of.
"""

from __future__ import annotations

import asyncio
import math
from typing import Any
from urllib.parse import urlsplit

from msgspec.structs import replace

from homeostat.kit.clock import Clock
from homeostat.kit.random import Random
from homeostat.sim.apiserver.admission.calling import Call, Caller, NotReached
from homeostat.sim.apiserver.admission.conditions import all_hold
from homeostat.sim.apiserver.admission.matching import Hook
from homeostat.sim.apiserver.admission.reviewed import Write
from homeostat.sim.apiserver.admission.reviews import (
    SPOKEN,
    Response,
    Senseless,
    decoded,
    encoded,
    patch_of,
    status_of,
    verified,
)
from homeostat.sim.apiserver.patches.json_patch import json_patched
from homeostat.sim.apiserver.refusing import Cause, Refused, bad_request
from homeostat.sim.apiserver.schemas.expressions import FailedEvaluation
from homeostat.sim.apiserver.store.store import Store
from homeostat.sim.apiserver.types.metadata import new_uid
from homeostat.sim.apiserver.types.registry import Types
from homeostat.sim.apiserver.types.type import Type, Value


class Denied(Refused):
    """A webhook said no; the Status is its own."""

    def __init__(self, status: Value) -> None:
        super().__init__(status["code"], status.get("reason", ""), status["message"])
        self._status = status

    def status(self) -> dict[str, Any]:
        """As the webhook has it."""
        return self._status


class Failed(Exception):
    """No sense was made of a webhook; the message is what an API server tells of it."""


class Hooks:
    """Asks the webhooks of one server."""

    def __init__(self, store: Store, types: Types, clock: Clock, random: Random, caller: Caller) -> None:
        self._store = store
        self._types = types
        self._clock = clock
        self._random = random
        self._caller = caller

    async def change(self, hooks: tuple[Hook, ...], write: Write) -> Write:
        """The write as webhooks make it. Raises Refused."""
        again: dict[str, None] = {}  # who is asked once more
        earlier: dict[str, None] = {}  # who wants to be when somebody after him changes something
        is_changed = False
        for is_second in (False, True):
            if is_second and not is_changed:
                break
            for hook in hooks:
                type_ = self._wanted(hook, write)
                if type_ is None or (is_second and hook.id not in again):
                    continue
                changed = await self._changed(hook, write, type_)
                if changed is not write:
                    write, is_changed = changed, True
                    again.update(earlier)
                    earlier.clear()
                if hook.is_reinvoked:
                    earlier[hook.id] = None
        return write

    async def judge(self, hooks: tuple[Hook, ...], write: Write) -> None:
        """Let all say yes. Raises Refused."""
        wanted = [(hook, type_) for hook in hooks if (type_ := self._wanted(hook, write)) is not None]
        if len(wanted) < 2:
            for hook, type_ in wanted:
                await self._judged(hook, type_, write)
            return
        steps = (self._judged(hook, type_, write) for hook, type_ in wanted)
        for said in await asyncio.gather(*steps, return_exceptions=True):
            if said is not None:
                raise said

    def _wanted(self, hook: Hook, write: Write) -> Type | None:
        """The version in which a webhook wants to see a write, if it does. Raises Refused."""
        type_ = hook.selection.version(write, self._types, self._store)
        if type_ is None or not hook.conditions:
            return type_
        variables = {
            "object": at_version(write.object, type_),
            "oldObject": at_version(write.old, type_),
            "request": write.request("", type_),
        }
        try:
            return type_ if all_hold(hook.conditions, variables) else None
        except FailedEvaluation as error:
            if hook.fails_open:
                return None
            raise forbidden(write, str(error)) from None

    async def _changed(self, hook: Hook, write: Write, type_: Type) -> Write:
        """What one webhook makes of a write: the same one when nothing. Raises Refused."""
        response = await self._answer(hook, write, type_, is_mutating=True)
        if response is None or not response.patch:
            return write
        try:
            patch = patch_of(response)
        except ValueError as error:
            if hook.fails_open:
                return write
            raise _failure(hook, f"received undecodable patch in webhook response: {error}") from error
        if not patch:
            return write
        if write.object is None:
            why = "attempted to modify the object, which is not supported for this operation"
            raise internal_error(f'admission webhook "{hook.name}" {why}')
        if response.patch_type != "JSONPatch":
            if hook.fails_open:
                return write
            raise _failure(hook, f'unsupported patch type "{response.patch_type}"')
        value = at_version(self._patched(at_version(write.object, type_), patch, type_), write.type)
        return write if value == write.object else replace(write, object=value)

    def _patched(self, value: Value | None, patch: Any, type_: Type) -> Value:
        try:
            made = json_patched(value or {}, patch)
        except Refused as error:
            raise internal_error(str(error.__cause__ or error)) from error
        if not isinstance(made, dict) or not isinstance(made.get("metadata"), dict):
            raise internal_error("the object that a webhook made is none")
        try:
            made, _ = type_.schema.decode(made)
        except Refused as error:
            raise internal_error(error.message.partition(" cannot be handled as a ")[2].partition(": ")[2]) from error
        type_.schema.default(made)
        return made

    async def _judged(self, hook: Hook, type_: Type, write: Write) -> None:
        await self._answer(hook, write, type_, is_mutating=False)

    async def _answer(self, hook: Hook, write: Write, type_: Type, *, is_mutating: bool) -> Response | None:
        """What a webhook says when it says yes; None when it says nothing and need not. Raises Refused."""
        if write.is_dry_run and not hook.is_without_side_effects:
            raise bad_request(f'admission webhook "{hook.name}" does not support dry run')
        try:
            response = await self._said(hook, write, type_, is_mutating=is_mutating)
        except Failed as error:
            if hook.fails_open:
                return None
            raise _failure(hook, str(error)) from error
        for text in response.warnings:
            if text not in write.asked.warnings:
                write.asked.warnings.append(text)
        if not response.allowed:
            raise Denied(status_of(hook.name, response))
        return response

    async def _said(self, hook: Hook, write: Write, type_: Type, *, is_mutating: bool) -> Response:
        version = next((each for each in hook.versions if each in SPOKEN), "")
        if not version:
            why = "webhook does not accept known AdmissionReview versions (v1, v1beta1)"
            raise Failed(f"could not create admission objects: {why}")
        uid = new_uid(self._random)
        body = encoded(
            version, write.request(uid, type_), at_version(write.object, type_), at_version(write.old, type_)
        )
        call = call_of(hook, body)
        try:
            async with self._clock.timeout(hook.times_out_after_s):
                heard = await self._caller.call(call)
            return verified(decoded(heard, version), version, uid, is_mutating=is_mutating)
        except TimeoutError as error:
            raise Failed(f'failed to call webhook: Post "{call.url}": context deadline exceeded') from error
        except NotReached as error:
            raise Failed(f"failed to call webhook: {error}") from error
        except Senseless as error:
            raise Failed(f"received invalid webhook response: {error}") from error


def at_version(value: Value | None, type_: Type) -> Value | None:
    """An object as another version of its type shows it: these differ in their names alone."""
    if value is None:
        return None
    return {"kind": type_.resource.kind, "apiVersion": type_.resource.api_version, **_without_type(value)}


def call_of(hook: Hook, body: bytes) -> Call:
    """Where a webhook is found, and what it is told: it hears how long it has, too."""
    within = f"timeout={math.ceil(hook.times_out_after_s)}s"
    if hook.service is not None:
        namespace, name = hook.service["namespace"], hook.service["name"]
        return Call(
            host=f"{name}.{namespace}.svc",
            port=hook.service.get("port") or 443,
            path=f"{hook.service.get('path') or '/'}?{within}",
            body=body,
            authorities=hook.authorities,
            service=(namespace, name),
        )
    parts = urlsplit(hook.url)
    return Call(
        host=parts.hostname or "",
        port=parts.port or 443,
        path=f"{parts.path or '/'}?{within}",
        body=body,
        authorities=hook.authorities,
    )


def forbidden(write: Write, why: str) -> Refused:
    """A write that something within the server does not let pass."""
    resource, qualified = write.type.resource, write.type.qualified
    what = f'{qualified} "{write.name}"' if write.name else qualified
    text = f"{what} is forbidden: {why}"
    return Refused(403, "Forbidden", text, group=resource.group, kind=resource.plural, name=write.name)


def internal_error(why: str) -> Refused:
    """What should not have happened, as apimachinery tells of it."""
    return Refused(500, "InternalError", f"Internal error occurred: {why}", causes=[Cause("", why)])


def _failure(hook: Hook, why: str) -> Refused:
    return internal_error(f'failed calling webhook "{hook.name}": {why}')


def _without_type(value: Value) -> Value:
    return {key: each for key, each in value.items() if key not in ("kind", "apiVersion")}
