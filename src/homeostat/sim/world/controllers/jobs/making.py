"""The Pods of a Job, as they are made. Pure."""

from __future__ import annotations

from typing import Any

from homeostat.sim.world.controllers.jobs.counting import FINALIZER
from homeostat.sim.world.controllers.jobs.deciding import Birth
from homeostat.sim.world.controllers.jobs.indexes import FAILURES, IGNORED, INDEX
from homeostat.sim.world.controllers.workloads.templates import pod_of, read
from homeostat.sim.world.kinds.jobs import JOB, Job

_VARIABLE = "JOB_COMPLETION_INDEX"
_LONGEST = 58  # of what the server adds five letters to


def born(job: Job, birth: Birth) -> dict[str, Any]:
    """A Pod that will be counted once; where completions have numbers it knows its own, by name and by variable."""
    body = pod_of(read(job.spec.template), JOB, job)
    meta, spec = body["metadata"], body["spec"]
    meta["finalizers"] = [*meta.get("finalizers", ()), FINALIZER]
    if birth.index is None:
        return body
    marks = {INDEX: str(birth.index)}
    counts = {} if birth.failures is None else {FAILURES: str(birth.failures)}
    counts |= {IGNORED: str(birth.ignored)} if birth.ignored else {}
    meta["annotations"] = {**meta.get("annotations", {}), **marks, **counts}
    meta["labels"] |= marks
    end = f"-{birth.index}-"
    meta["generateName"] = job.metadata.name[: _LONGEST - len(end)] + end
    # A Pod's name within its Service does not end in letters of chance.
    spec.setdefault("hostname", f"{job.metadata.name}-{birth.index}")
    source = {"fieldRef": {"fieldPath": f"metadata.labels['{INDEX}']"}}
    for container in (*(spec.get("initContainers") or ()), *(spec.get("containers") or ())):
        variables = container.get("env") or []
        if not any(each["name"] == _VARIABLE for each in variables):
            container["env"] = [*variables, {"name": _VARIABLE, "valueFrom": source}]
    return body
