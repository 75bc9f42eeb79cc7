"""Who owns which fields of an object: written at every change, as server-side apply needs it."""

from __future__ import annotations

from datetime import datetime

from homeostat.sim.apiserver.fields import managing
from homeostat.sim.apiserver.fields.ownership import Writer
from homeostat.sim.apiserver.fields.sets import NOTHING, FieldSet
from homeostat.sim.apiserver.refusing import Cause, invalid
from homeostat.sim.apiserver.schemas.causes import invalid as invalid_value
from homeostat.sim.apiserver.schemas.causes import too_long
from homeostat.sim.apiserver.types.metadata import stamp
from homeostat.sim.apiserver.types.routing import Asked
from homeostat.sim.apiserver.types.type import Value

_LONGEST = 128  # of a manager's name
_STATUS = FieldSet.named("status")
# What a write of the status leaves as it is, and so gives to nobody.
_SPEC, _SPEC_AND_LABELS = FieldSet.named("spec"), FieldSet.named("spec", "metadata.labels")
_ALL_BUT_STATUS = FieldSet.named("spec", "metadata.labels", "metadata.annotations")


def updated(old: Value | None, new: Value, asked: Asked, now: datetime) -> Value:
    """The object with owners, after a write that is no apply; `old` is None for a new one."""
    return managing.update(old or _nothing(asked), new, _writer(asked, now), _convert(asked))


def applied(old: Value | None, config: Value, asked: Asked, now: datetime) -> Value:
    """What an apply makes of an object, or of nothing, with owners. Raises Refused."""
    if not asked.query.get("fieldManager"):
        text = "Required value: is required for apply patch"
        raise invalid("meta.k8s.io", "PatchOptions", "", [Cause("FieldValueRequired", text, "fieldManager")])
    force = asked.flag("force")
    nothing = _nothing(asked)
    return managing.apply(old or nothing, config, _writer(asked, now), _convert(asked), force=force, empty=nothing)


def _writer(asked: Asked, now: datetime) -> Writer:
    manager = asked.query.get("fieldManager") or asked.agent.partition("/")[0][:_LONGEST]
    given = asked.query.get("fieldManager", "")
    if len(given) > _LONGEST:
        raise asked.bad_options([too_long("fieldManager", _LONGEST)])
    for at, each in enumerate(given):
        if not each.isprintable():
            why = f"invalid character U+{ord(each):04X} (at position {at})"
            raise asked.bad_options([invalid_value("fieldManager", given, why)])
    has_status = "status" in asked.type.subresources
    reset = _STATUS if has_status else NOTHING
    if asked.writes_status:
        reset = _ALL_BUT_STATUS if asked.type.keeps_metadata_of_status else _SPEC
        if "labels" in asked.type.strategy.keeps_of_status:
            reset = _SPEC_AND_LABELS
    if resets := asked.type.strategy.below(asked.subresource).resets:
        reset = FieldSet.named(*resets)
    return Writer(manager, asked.type.resource.api_version, stamp(now), asked.subresource, reset)


def _convert(asked: Asked) -> managing.Convert:
    return managing.at_every_version(asked.type.schema.shape)


def _nothing(asked: Asked) -> Value:
    resource = asked.type.resource
    return {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": {}, **asked.type.schema.empty}
