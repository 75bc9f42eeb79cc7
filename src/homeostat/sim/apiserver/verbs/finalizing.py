"""Finalize: whoever has emptied a namespace lets it go."""

from __future__ import annotations

from homeostat.sim.apiserver.answer import Answer
from homeostat.sim.apiserver.refusing import bad_request
from homeostat.sim.apiserver.store.record import record
from homeostat.sim.apiserver.store.store import Store
from homeostat.sim.apiserver.types.routing import Asked
from homeostat.sim.apiserver.verbs.bodies import object_of, yaml_of
from homeostat.sim.apiserver.verbs.reading import existing
from homeostat.sim.apiserver.verbs.writing import is_over, modified


def finalize(store: Store, asked: Asked, body: bytes) -> Answer:
    """Write who still holds a namespace, and end it when nobody does. Raises Refused."""
    wanted = object_of(yaml_of(body), asked)
    kept, type_ = existing(store, asked), asked.type
    version = wanted["metadata"].get("resourceVersion")
    if version and version != str(kept.revision):
        raise modified(type_, kept.name)
    value = kept.value(type_.head)
    holders = (wanted.get("spec") or {}).get("finalizers") or []
    if not isinstance(holders, list):
        raise bad_request("spec.finalizers: expected a list")
    value["spec"] = {"finalizers": holders} if holders else {}
    made = record(value, kept.revision, type_.strategy.fields(value))
    if made.rest == kept.rest or asked.is_dry_run:
        return Answer(200, made.shown(type_.head))
    if is_over(type_, value):
        store.drop(type_.collection, kept.key)
        type_.strategy.on_gone(value)
        return Answer(200, made.shown(type_.head))
    return Answer(200, store.put(type_.collection, made).shown(type_.head))
