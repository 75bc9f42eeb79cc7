"""What Go's types do to an object of a built-in type: what is empty is left out, and what cannot be absent is there.

A kube-apiserver reads JSON into structs and writes them again. Fields that are marked `omitempty` vanish when they are
null, empty, zero or false, unless they are pointers; structs that are no pointers, and fields without the mark, are
always written. Schemas tell of the structs (`default: {}`) and of the fields without the mark (`required`). Which
scalars are no pointers they do not tell: those that clients meet are listed here.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct, field

from homeostat.sim.apiserver.schemas import builtin
from homeostat.sim.apiserver.schemas.openapi import reference_of

_QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
# Texts that are pointers in Go: an empty one says something.
_TEXT_POINTERS = frozenset(
    {
        "EndpointPort.name",
        "EndpointPort.appProtocol",
        "HostPathVolumeSource.type",
        "GRPCAction.service",
        "CronJobSpec.timeZone",
        "PersistentVolumeClaimSpec.storageClassName",
        "PersistentVolumeClaimSpec.volumeAttributesClassName",
        "SeccompProfile.localhostProfile",
        "ServicePort.appProtocol",
        "VolumeAttachmentSource.persistentVolumeName",
    }
)
_FLAGS = frozenset(
    {
        *("hostNetwork", "hostPID", "hostIPC", "stdin", "stdinOnce", "tty", "readOnly", "paused"),
        *("publishNotReadyAddresses", "unschedulable", "globalDefault"),
    }
)
_NUMBERS = frozenset(
    {
        *("minReadySeconds", "initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold"),
        *("failureThreshold", "hostPort", "nodePort", "healthCheckNodePort", "count", "number"),
    }
)
_NUMBER_POINTERS = frozenset(
    {"MutatingWebhook.timeoutSeconds", "ValidatingWebhook.timeoutSeconds", "VolumeNodeResources.count"}
)
_COUNT_POINTERS = frozenset({"collisionCount", "terminatingReplicas", "ready", "terminating"})


# Times and lists that have no mark: null where nobody said anything.
_NULLS = frozenset(
    {
        *("ClusterRole.rules", "Role.rules", "EndpointSlice.ports", "ResourcePolicyRule.namespaces"),
        "CSINodeDriver.topologyKeys",
        *("Event.eventTime", "Event.firstTimestamp", "Event.lastTimestamp"),
        *("Event.deprecatedFirstTimestamp", "Event.deprecatedLastTimestamp"),
        *("PodCondition.lastProbeTime", "PodCondition.lastTransitionTime"),
        *("NodeCondition.lastHeartbeatTime", "NodeCondition.lastTransitionTime"),
        *("DeploymentCondition.lastUpdateTime", "DeploymentCondition.lastTransitionTime"),
        *("ReplicaSetCondition.lastTransitionTime", "StatefulSetCondition.lastTransitionTime"),
        *("DaemonSetCondition.lastTransitionTime", "NamespaceCondition.lastTransitionTime"),
        *("JobCondition.lastProbeTime", "JobCondition.lastTransitionTime"),
        *("PersistentVolumeClaimCondition.lastProbeTime", "PersistentVolumeClaimCondition.lastTransitionTime"),
        *("ContainerStateRunning.startedAt", "ContainerStateTerminated.startedAt"),
        "ContainerStateTerminated.finishedAt",
    }
)


# What a kind fills in itself, though schemas tell of a default: absent until then.
_FILLED_IN = frozenset({"ReplicationControllerSpec.replicas", "ReplicationControllerSpec.minReadySeconds"})


class Node(Struct, eq=False):
    """A place in an object. `always` is what stands there when nothing else does, as a list of one value or of none."""

    form: Literal["object", "map", "list", "scalar", "quantity", "untyped"]
    fields: dict[str, Node] = field(default_factory=dict)
    each: Node | None = None
    is_required: bool = False
    is_pointer: bool = True
    always: list[Any] = field(default_factory=list)
    known_standing: tuple[tuple[str, Any], ...] | None = None

    @property
    def standing(self) -> tuple[tuple[str, Any], ...]:
        """The fields that always stand in an object, with what stands there. It is asked of every object there is."""
        if self.known_standing is None:
            self.known_standing = tuple((name, each.always[0]) for name, each in self.fields.items() if each.always)
        return self.known_standing


@functools.cache
def node(group: str, version: str, kind: str) -> Node:
    """What objects of a built-in kind are made of."""
    return _named(builtin.schema_name(group, version, kind))


def shorten(value: Any, at: Node, known: Any = None) -> None:
    """Leave out what is null or empty; in place, but of parts that are those of a `known` object, shortened before."""
    if at.form in ("object", "map") and isinstance(value, dict):
        before = known if isinstance(known, dict) else {}
        for name, part in list(value.items()):
            below, old = at.fields.get(name) or at.each, before.get(name)
            if below is None or (part and part is old):
                continue
            if isinstance(part, (dict, list)):
                shorten(part, below, old)
            if not part and (part is None or (at.form == "object" and _vanishes(part, below))):
                del value[name]
    elif at.form == "list" and isinstance(value, list) and at.each is not None:
        for part in value:
            shorten(part, at.each)


def complete(value: Any, at: Node) -> None:
    """Put in what cannot be absent; in place."""
    if at.form == "object" and isinstance(value, dict):
        for name, always in at.standing:
            if name not in value:
                value[name] = {} if always == {} else always
        for name, part in value.items():
            if isinstance(part, (dict, list)) and (below := at.fields.get(name)):
                complete(part, below)
    elif at.form in ("list", "map") and at.each is not None:
        for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            complete(part, at.each)


def _vanishes(part: object, at: Node) -> bool:
    if at.is_required:
        return False
    if part in ({}, []):
        return at.form in ("map", "list")
    return not at.is_pointer and not part and at.form == "scalar"


@functools.cache
def _named(name: str) -> Node:
    made = Node("object")
    schema = builtin.schema(name)
    if "properties" not in schema:
        return Node("quantity") if name == _QUANTITY else _of(schema, "")
    kind, required = name.rpartition(".")[2], schema.get("required", ())
    for each, part in schema["properties"].items():
        made.fields[each] = _field(part, f"{kind}.{each}", is_required=each in required)
    return made


def _field(schema: Mapping[str, Any], name: str, *, is_required: bool) -> Node:
    below = _of(schema, name)
    is_always = "default" in schema and name not in _FILLED_IN
    always = [schema["default"]] if is_always else []
    if name in _NULLS or (is_required and below.form == "list"):
        always = [None]
    # Of the form of the part, which may be filled later, as types refer to themselves.
    return Node(
        below.form,
        fields=below.fields,
        each=below.each,
        is_required=is_required or is_always,
        is_pointer=_is_pointer(schema, name),
        always=always,
    )


def _of(schema: Mapping[str, Any], name: str) -> Node:
    reference = reference_of(schema)
    if reference:
        return _recursive(reference)
    match schema.get("type"):
        case "array":
            return Node("list", each=_of(schema.get("items") or {}, name))
        case "object" if isinstance(schema.get("additionalProperties"), Mapping):
            return Node("map", each=_of(schema["additionalProperties"], name))
        case "object" | None:
            return Node("untyped")
        case _:
            return Node("scalar")


def _recursive(reference: str) -> Node:
    # Types that hold themselves are of definitions alone, which are kept as they come.
    return Node("untyped") if reference.endswith(".JSONSchemaProps") else _named(reference)


def _is_pointer(schema: Mapping[str, Any], name: str) -> bool:
    kind, _, last = name.partition(".")
    match schema.get("type"):
        case "string":
            return name in _TEXT_POINTERS
        case "boolean":
            return last not in _FLAGS
        case "integer":
            if name in _NUMBER_POINTERS:
                return True
            return last not in _NUMBERS and not (kind.endswith("Status") and last not in _COUNT_POINTERS)
        case _:
            return True
