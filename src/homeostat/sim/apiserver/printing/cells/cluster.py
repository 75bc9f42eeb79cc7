"""Hosts, namespaces, events, rights, and the small things that every cluster has."""

from __future__ import annotations

from datetime import datetime

from homeostat.sim.apiserver.printing.ages import age, span
from homeostat.sim.apiserver.printing.cells.parts import NONE, Cells, age_of, name_of, part
from homeostat.sim.apiserver.types.type import Value

_NEW_WORDS = {
    "involvedObject": "regarding",
    "message": "note",
    "source": "deprecatedSource",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount",
    "reportingComponent": "reportingController",
}
_ROLE, _OLD_ROLE = "node-role.kubernetes.io/", "kubernetes.io/role"


def node(value: Value, now: datetime) -> Cells:
    """Whether it is ready, and what runs on it."""
    info = part(value, "status", "nodeInfo")
    systems = [info.get(key) or "<unknown>" for key in ("osImage", "kernelVersion", "containerRuntimeVersion")]
    addresses = [_address(value, type_) for type_ in ("InternalIP", "ExternalIP")]
    version = info.get("kubeletVersion", "")
    return [name_of(value), _state(value), _roles(value), age_of(value, now), version, *addresses, *systems]


def namespace(value: Value, now: datetime) -> Cells:
    """Whether it is about to end."""
    return [name_of(value), part(value, "status").get("phase", ""), age_of(value, now)]


def event(value: Value, now: datetime) -> Cells:
    """What happened to what, and how often."""
    first = age(value.get("firstTimestamp") or value.get("eventTime"), now)
    last = age(value["lastTimestamp"], now) if value.get("lastTimestamp") else first
    count = value.get("count") or 1
    if value.get("series"):
        last, count = age(value["series"].get("lastObservedTime"), now), value["series"].get("count", 0)
    about, by = part(value, "involvedObject"), part(value, "source")
    where = f"{about.get('kind', '').lower()}/{about['name']}" if about.get("name") else about.get("kind", "").lower()
    sources = (by.get("component") or value.get("reportingComponent"), by.get("host") or value.get("reportingInstance"))
    return [
        *(last, value.get("type", ""), value.get("reason", ""), where, about.get("fieldPath", "")),
        *(_source(*sources), value.get("message", "").strip(), first, count, name_of(value)),
    ]


def new_event(value: Value, now: datetime) -> Cells:
    """An Event in its newer form: the same, in other words."""
    old = {**value, **{name: value[word] for name, word in _NEW_WORDS.items() if word in value}}
    return event(old, now)


def secret(value: Value, now: datetime) -> Cells:
    """Of which kind it is, and how much is in it."""
    return [name_of(value), value.get("type", ""), len(value.get("data") or ()), age_of(value, now)]


def config_map(value: Value, now: datetime) -> Cells:
    """How much is in it."""
    held = sum(len(value.get(name) or ()) for name in ("data", "binaryData"))
    return [name_of(value), held, age_of(value, now)]


def named(value: Value, now: datetime) -> Cells:
    """What has nothing to show but its name."""
    return [name_of(value), age_of(value, now)]


def binding(value: Value, now: datetime) -> Cells:
    """Who has which role."""
    role, found = value.get("roleRef") or {}, value.get("subjects") or ()
    by_kind = {kind: [each for each in found if each.get("kind") == kind] for kind in ("User", "Group")}
    people = [", ".join(each.get("name", "") for each in by_kind[kind]) for kind in by_kind]
    accounts = [
        f"{each.get('namespace', '')}/{each.get('name', '')}" for each in found if each.get("kind") == "ServiceAccount"
    ]
    told = f"{role.get('kind', '')}/{role.get('name', '')}"
    return [name_of(value), told, age_of(value, now), *people, ", ".join(accounts)]


def lease(value: Value, now: datetime) -> Cells:
    """Who holds it."""
    return [name_of(value), part(value, "spec").get("holderIdentity", ""), age_of(value, now)]


def priority_class(value: Value, now: datetime) -> Cells:
    """What it counts."""
    is_global = bool(value.get("globalDefault"))
    return [
        *(name_of(value), value.get("value", 0), is_global, age_of(value, now)),
        value.get("preemptionPolicy", ""),
    ]


def runtime_class(value: Value, now: datetime) -> Cells:
    """What runs its containers."""
    return [name_of(value), value.get("handler", ""), age_of(value, now)]


def quota(value: Value, now: datetime) -> Cells:
    """What is used of what there is."""
    status = part(value, "status")
    hard, used = part(status, "hard"), part(status, "used")
    told = [(name, f"{name}: {used.get(name, '0')}/{hard[name]}") for name in sorted(hard)]
    limits = ", ".join(text for name, text in told if name.startswith("limits."))
    requests = ", ".join(text for name, text in told if not name.startswith("limits."))
    return [name_of(value), requests, limits, age_of(value, now)]


def certificate_request(value: Value, now: datetime) -> Cells:
    """Who asked for what, and what became of it."""
    spec, status = value["spec"], part(value, "status")
    types = [each.get("type") for each in status.get("conditions") or ()]
    state = "Denied" if "Denied" in types else "Approved" if "Approved" in types else "Pending"
    state += ",Failed" if "Failed" in types else ""
    state += ",Issued" if status.get("certificate") else ""
    lasts = span(spec["expirationSeconds"]) if spec.get("expirationSeconds") is not None else NONE
    return [
        *(name_of(value), age_of(value, now), spec.get("signerName") or NONE, spec.get("username", "")),
        *(lasts, state),
    ]


def flow_schema(value: Value, now: datetime) -> Cells:
    """Which requests get which level."""
    spec, found = value["spec"], part(value, "status").get("conditions") or ()
    dangles = next((each.get("status", "") for each in found if each.get("type") == "Dangling"), "?")
    by, level = part(spec, "distinguisherMethod").get("type") or NONE, part(spec, "priorityLevelConfiguration")
    precedence = spec.get("matchingPrecedence", 0)
    return [name_of(value), level.get("name", ""), precedence, by, age_of(value, now), dangles]


def priority_level(value: Value, now: datetime) -> Cells:
    """How many requests at once, and who waits how."""
    spec = value["spec"]
    limited = spec.get("limited")
    shares = limited.get("nominalConcurrencyShares", 0) if limited else NONE
    queuing = part(limited, "limitResponse").get("queuing") if limited else None
    names = ("queues", "handSize", "queueLengthLimit")
    waits = [queuing.get(name, 0) if queuing else NONE for name in names]
    return [name_of(value), spec.get("type", ""), shares, *waits, age_of(value, now)]


def webhooks(value: Value, now: datetime) -> Cells:
    """How many are asked."""
    return [name_of(value), len(value.get("webhooks") or ()), age_of(value, now)]


def policy(value: Value, now: datetime) -> Cells:
    """How much it judges, and by what."""
    spec, kind = value["spec"], value["spec"].get("paramKind")
    by = f"{kind['apiVersion']}/{kind['kind']}" if kind else "<unset>"
    return [name_of(value), len(spec.get("validations") or ()), by, age_of(value, now)]


def policy_binding(value: Value, now: datetime) -> Cells:
    """Which policy is in force, by which parameters."""
    spec, by = value["spec"], value["spec"].get("paramRef")
    told = "<unset>"
    if by and by.get("name"):
        told = f"{by.get('namespace') or '*'}/{by['name']}"
    return [name_of(value), spec.get("policyName", ""), told, age_of(value, now)]


def _state(value: Value) -> str:
    found = part(value, "status").get("conditions") or ()
    ready = next((each.get("status") for each in found if each.get("type") == "Ready"), None)
    word = "Unknown" if ready is None else "Ready" if ready == "True" else "NotReady"
    return f"{word},SchedulingDisabled" if part(value, "spec").get("unschedulable") else word


def _roles(value: Value) -> str:
    marks = part(value, "metadata", "labels")
    found = {key.removeprefix(_ROLE) for key in marks if key.startswith(_ROLE)} | {marks.get(_OLD_ROLE, "")}
    return ",".join(sorted(found - {""})) or NONE


def _address(value: Value, type_: str) -> str:
    found = part(value, "status").get("addresses") or ()
    return next((each["address"] for each in found if each.get("type") == type_), NONE)


def _source(component: str | None, instance: str | None) -> str:
    return f"{component or ''}, {instance}" if instance else component or ""
