"""Workloads: how many there are to be, how many there are, and of what they are made."""

from __future__ import annotations

from datetime import datetime

from homeostat.sim.apiserver.printing.ages import age, moment, span
from homeostat.sim.apiserver.printing.cells.parts import (
    NONE,
    UNSET,
    Cells,
    age_of,
    containers,
    labels,
    name_of,
    part,
    selector,
)
from homeostat.sim.apiserver.selecting.texts import selector_text
from homeostat.sim.apiserver.types.type import Value

_JOB_STATES = (
    ("Complete", "Complete"),
    ("Failed", "Failed"),
    ("", "Terminating"),  # asked of the metadata
    ("Suspended", "Suspended"),
    ("FailureTarget", "FailureTarget"),
    ("SuccessCriteriaMet", "SuccessCriteriaMet"),
)


def deployment(value: Value, now: datetime) -> Cells:
    """How many of it are ready, new, and available."""
    spec, status = value["spec"], part(value, "status")
    ready = f"{status.get('readyReplicas', 0)}/{spec.get('replicas', 0)}"
    counts = [status.get("updatedReplicas", 0), status.get("availableReplicas", 0)]
    chosen = selector_text(spec.get("selector") or {})
    return [name_of(value), ready, *counts, age_of(value, now), *containers(part(spec, "template", "spec")), chosen]


def replica_set(value: Value, now: datetime) -> Cells:
    """How many are wanted, there, and ready."""
    return [*_replicas(value, now), selector(value["spec"].get("selector"))]


def replication_controller(value: Value, now: datetime) -> Cells:
    """The same; its selector is labels alone."""
    return [*_replicas(value, now), labels(value["spec"].get("selector"))]


def stateful_set(value: Value, now: datetime) -> Cells:
    """How many of it are ready."""
    ready = f"{part(value, 'status').get('readyReplicas', 0)}/{value['spec'].get('replicas', 0)}"
    return [name_of(value), ready, age_of(value, now), *containers(part(value, "spec", "template", "spec"))]


def daemon_set(value: Value, now: datetime) -> Cells:
    """On how many hosts it is to be, and is."""
    status, pod = part(value, "status"), part(value, "spec", "template", "spec")
    names = ("desiredNumberScheduled", "currentNumberScheduled", "numberReady", "updatedNumberScheduled")
    counts = [status.get(name, 0) for name in (*names, "numberAvailable")]
    hosts = labels(pod.get("nodeSelector"))
    return [
        *(name_of(value), *counts, hosts, age_of(value, now)),
        *(*containers(pod), selector(value["spec"].get("selector"))),
    ]


def job(value: Value, now: datetime) -> Cells:
    """How it goes, how many have ended well, and how long it took."""
    spec, status = value["spec"], part(value, "status")
    done, wanted, at_once = status.get("succeeded", 0), spec.get("completions"), spec.get("parallelism") or 0
    of = str(wanted) if wanted is not None else f"1 of {at_once}" if at_once > 1 else "1"
    begun, ended = status.get("startTime"), status.get("completionTime")
    took = span(((moment(ended) if ended else now) - moment(begun)).total_seconds()) if begun else ""
    return [
        *(name_of(value), _job_state(value), f"{done}/{of}", took, age_of(value, now)),
        *(*containers(part(spec, "template", "spec")), selector(spec.get("selector"))),
    ]


def cron_job(value: Value, now: datetime) -> Cells:
    """When it comes, and when it came."""
    spec, status = value["spec"], part(value, "status")
    last, suspend = status.get("lastScheduleTime"), spec.get("suspend")
    is_suspended = UNSET if suspend is None else str(bool(suspend))
    inner = part(spec, "jobTemplate", "spec")
    return [
        *(name_of(value), spec.get("schedule", ""), spec.get("timeZone") or NONE, is_suspended),
        *(len(status.get("active") or ()), age(last, now) if last else NONE, age_of(value, now)),
        *(*containers(part(inner, "template", "spec")), selector(inner.get("selector"))),
    ]


def pod_template(value: Value, now: datetime) -> Cells:  # noqa: ARG001
    """Of what its Pods would be made."""
    template = part(value, "template")
    made_of = containers(part(template, "spec"))
    return [name_of(value), *made_of, labels(part(template, "metadata").get("labels"))]


def controller_revision(value: Value, now: datetime) -> Cells:
    """Whose it is, and which in its order."""
    owner = next((each for each in value["metadata"].get("ownerReferences") or () if each.get("controller")), None)
    told = NONE
    if owner is not None:
        group = owner["apiVersion"].rpartition("/")[0]
        told = f"{owner['kind']}{'.' if group else ''}{group}".lower() + f"/{owner['name']}"
    return [name_of(value), told, value.get("revision", 0), age_of(value, now)]


def disruption_budget(value: Value, now: datetime) -> Cells:
    """How many must stay or may go, and how many may go now."""
    asked = [str(value["spec"].get(name, "N/A")) for name in ("minAvailable", "maxUnavailable")]
    allowed = part(value, "status").get("disruptionsAllowed", 0)
    return [name_of(value), *asked, allowed, age_of(value, now)]


def scale(value: Value, now: datetime) -> Cells:
    """How many are wanted, and there."""
    counts = [part(value, name).get("replicas", 0) for name in ("spec", "status")]
    return [name_of(value), *counts, age_of(value, now)]


def _replicas(value: Value, now: datetime) -> Cells:
    spec, status = value["spec"], part(value, "status")
    counts = [spec.get("replicas", 0), status.get("replicas", 0), status.get("readyReplicas", 0)]
    return [name_of(value), *counts, age_of(value, now), *containers(part(spec, "template", "spec"))]


def _job_state(value: Value) -> str:
    found = part(value, "status").get("conditions") or ()
    true = [each.get("type") for each in found if each.get("status") == "True"]
    if value["metadata"].get("deletionTimestamp"):
        true.append("")
    return next((word for type_, word in _JOB_STATES if type_ in true), "Running")
