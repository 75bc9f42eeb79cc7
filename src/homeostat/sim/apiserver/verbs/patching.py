"""Patch: what a client wants to be otherwise, in one of four languages.

An apply says what the client wants of an object, and makes one where there is none. The others say what to do with the
object that is there.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import msgspec

from homeostat.kit.clock import Clock
from homeostat.sim.apiserver.answer import Answer
from homeostat.sim.apiserver.patches.json_patch import json_patched
from homeostat.sim.apiserver.patches.merge import merged
from homeostat.sim.apiserver.patches.strategic import strategically_merged
from homeostat.sim.apiserver.refusing import Refused, bad_request, invalid
from homeostat.sim.apiserver.schemas.causes import forbidden
from homeostat.sim.apiserver.schemas.causes import invalid as wrong_value
from homeostat.sim.apiserver.store.record import key_of
from homeostat.sim.apiserver.store.store import Store
from homeostat.sim.apiserver.types.routing import Asked
from homeostat.sim.apiserver.types.type import Value
from homeostat.sim.apiserver.verbs import owning
from homeostat.sim.apiserver.verbs.bodies import json_of, object_of, placed, repeats_in, tell_repeats, yaml_of
from homeostat.sim.apiserver.verbs.reading import not_found
from homeostat.sim.apiserver.verbs.writing import Writer, conflict

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"
_KNOWN = (JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, APPLY_PATCH)


class Patcher:
    """Patches objects of one server."""

    def __init__(self, store: Store, writer: Writer, clock: Clock) -> None:
        self._store = store
        self._writer = writer
        self._clock = clock

    async def patch(self, asked: Asked, body: bytes) -> Answer:
        """An object, changed. Raises Refused."""
        language = asked.media
        if language == APPLY_PATCH:
            return await self._apply(asked, body)
        if "force" in asked.query:
            raise asked.bad_options([forbidden("force", "may not be specified for non-apply patch")])
        change = _change(asked, body, language)
        if language == STRATEGIC_PATCH:
            return await self._writer.change(asked, lambda live: object_of(change(live), asked, live))
        return await self._writer.change(asked, lambda live: _decoded(change(live), asked, live))

    async def _apply(self, asked: Asked, body: bytes) -> Answer:
        sent = yaml_of(body)
        repeats, config = repeats_in(body, sent, asked), _config(asked, sent)
        now = self._clock.now()

        def apply(live: Value | None) -> Value:
            wanted = copy.deepcopy(config) if self._writer.may_begin_anew(asked) else config
            made = owning.applied(live, wanted, asked, now)
            tell_repeats(repeats, asked)
            return object_of(made, asked)

        if self._store.shelf(asked.type.collection).get(key_of(asked.namespace, asked.name)) is not None:
            return await self._writer.change(asked, apply, is_owned=True)
        if asked.subresource:
            raise not_found(asked.type, asked.name)
        if uid := config["metadata"].get("uid"):
            why = f"uid mismatch: the provided object specified uid {uid}, and no existing object was found"
            raise conflict(asked.type, asked.name, why)
        return await self._writer.make(asked, apply(None), is_owned=True)


def _decoded(value: Any, asked: Asked, live: Value) -> Value:
    """What a patch has made, as an object. Raises Refused, by another name where the patch is what made it none."""
    try:
        return object_of(value, asked, live)
    except Refused as error:
        _, is_undecodable, why = error.message.partition(" cannot be handled as a ")
        if error.code != 400 or not is_undecodable:
            raise
        why = why.partition(": ")[2]
        raise invalid("", "", "", [wrong_value("patch", msgspec.json.encode(value).decode(), why)]) from error


def _config(asked: Asked, value: Any) -> Value:
    if not isinstance(value, dict):
        raise bad_request("error decoding YAML: expected an object")
    for required in ("apiVersion", "kind"):
        if not value.get(required):
            raise bad_request(f"{required} must be set")
    config = placed(value, asked)
    config["metadata"].setdefault("name", asked.name)
    if asked.namespace:
        config["metadata"].setdefault("namespace", asked.namespace)
    return config


def _change(asked: Asked, body: bytes, language: str) -> Callable[[Value], Any]:
    """What a patch does. It leaves what it is given as it is, and has in common with that what it does not change."""
    if language == STRATEGIC_PATCH and asked.type.is_custom:
        raise _unsupported(language, [each for each in _KNOWN if each != STRATEGIC_PATCH])
    if language not in _KNOWN:
        raise _unsupported(language, _KNOWN)
    patch = json_of(body)
    match language:
        case "application/json-patch+json":
            return lambda live: json_patched(live, patch)
        case "application/merge-patch+json":
            return lambda live: merged(live, patch)
    return lambda live: strategically_merged(live, patch, asked.type.schema.shape)


def _unsupported(media: str, known: list[str] | tuple[str, ...]) -> Refused:
    text = "the body of the request was in an unknown format - accepted media types include"
    return Refused(415, "UnsupportedMediaType", f"{text}: {', '.join(known)}; found {media}")
