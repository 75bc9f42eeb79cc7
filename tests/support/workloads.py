"""Workloads for tests of the world: builders that show only what matters."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]


def template(image: str = "web:1", labels: dict[str, str] | None = None, **spec: Any) -> Object:
    """A Pod's template of one container, that ends at once."""
    body = {"containers": [{"name": "main", "image": image}], "terminationGracePeriodSeconds": 1, **spec}
    return {"metadata": {"labels": labels or {"app": "web"}}, "spec": body}


def deployment(
    name: str = "web",
    image: str = "web:1",
    *,
    maxSurge: int | str | None = None,  # noqa: N803  (as the API has it)
    maxUnavailable: int | str | None = None,  # noqa: N803
    **spec: Any,
) -> Object:
    """A Deployment of Pods with the label `app`."""
    if maxSurge is not None:
        spec["strategy"] = {"rollingUpdate": {"maxSurge": maxSurge, "maxUnavailable": maxUnavailable}}
    selector = {"matchLabels": {"app": "web"}}
    return {"metadata": {"name": name}, "spec": {"selector": selector, "template": template(image), **spec}}


def stateful_set(
    name: str = "db",
    image: str = "db:1",
    *,
    partition: int | None = None,
    claims: tuple[str, ...] = (),
    **spec: Any,
) -> Object:
    """A StatefulSet of Pods with the label `app`, and claims of these names."""
    if partition is not None:
        spec["updateStrategy"] = {"type": "RollingUpdate", "rollingUpdate": {"partition": partition}}
    if claims:
        spec["volumeClaimTemplates"] = [claim_template(each) for each in claims]
    return {
        "metadata": {"name": name},
        "spec": {
            "serviceName": name,
            "selector": {"matchLabels": {"app": "db"}},
            "template": template(image, {"app": "db"}),
            **spec,
        },
    }


def daemon_set(name: str = "agent", image: str = "agent:1", *, pod: Object | None = None, **spec: Any) -> Object:
    """A DaemonSet of Pods with the label `app`."""
    selector, labels = {"matchLabels": {"app": "agent"}}, {"app": "agent"}
    whole = {"selector": selector, "template": template(image, labels, **(pod or {})), **spec}
    return {"metadata": {"name": name}, "spec": whole}


def job(name: str = "once", image: str = "work:1", **spec: Any) -> Object:
    """A Job of Pods that are not started again."""
    return {"metadata": {"name": name}, "spec": {"template": {"spec": template(image)["spec"] | ONCE}, **spec}}


def cron_job(name: str = "tick", schedule: str = "* * * * *", job: Object | None = None, **spec: Any) -> Object:
    """A CronJob of Jobs of one Pod each."""
    made = {**(job or {}), "spec": {"template": {"spec": template("work:1")["spec"] | ONCE}}}
    return {"metadata": {"name": name}, "spec": {"schedule": schedule, "jobTemplate": made, **spec}}


ONCE = {"restartPolicy": "Never"}


def claim_template(name: str) -> Object:
    """A small volume of a class that nobody serves: volumes for it are made by hand."""
    size = {"requests": {"storage": "1Gi"}}
    spec = {"accessModes": ["ReadWriteOnce"], "resources": size, "storageClassName": "by-hand"}
    return {"metadata": {"name": name, "labels": {"kept": "yes"}}, "spec": spec}


def conditions(obj: Object) -> dict[str, tuple[str, str, str]]:
    """What an object's conditions say: status, reason and message, by type."""
    found = obj.get("status", {}).get("conditions", ())
    return {each["type"]: (each["status"], each.get("reason", ""), each.get("message", "")) for each in found}
