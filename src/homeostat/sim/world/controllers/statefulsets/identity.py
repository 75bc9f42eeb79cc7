"""What a Pod of a StatefulSet is called, and what it and its claims are made of. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from homeostat.sim.world.controllers.workloads.templates import Template, pod_of
from homeostat.sim.world.kinds.pods import Pod
from homeostat.sim.world.kinds.workloads import STATEFUL_SET, StatefulSet

REVISION_LABEL = "controller-revision-hash"
_NAME_LABEL, _INDEX_LABEL = "statefulset.kubernetes.io/pod-name", "apps.kubernetes.io/pod-index"


def pod_name(owner: StatefulSet, ordinal: int) -> str:
    """The name of the Pod of a number."""
    return f"{owner.metadata.name}-{ordinal}"


def ordinal_of(owner: StatefulSet, name: str) -> int | None:
    """The number in a Pod's name; None when it is no name that this set gives."""
    stem, _, number = name.rpartition("-")
    return int(number) if stem == owner.metadata.name and number.isdecimal() else None


def revision_of(pod: Pod) -> str:
    """The name of the revision that a Pod was made of."""
    return pod.metadata.labels.get(REVISION_LABEL, "")


def claim_templates(owner: StatefulSet) -> list[dict[str, Any]]:
    """The claims that every Pod has."""
    found: list[dict[str, Any]] | None = msgspec.json.decode(owner.spec.volume_claim_templates)
    return found or []


def claim_stems(owner: StatefulSet) -> list[str]:
    """An index: what the names of claims begin with, before the number."""
    meta = owner.metadata
    return [f"{meta.namespace}/{each['metadata']['name']}-{meta.name}" for each in claim_templates(owner)]


def claim_stem(key: str) -> str:
    """What a claim is found by in that index."""
    stem, _, number = key.rpartition("-")
    return stem if number.isdecimal() else ""


def claims_of(owner: StatefulSet, ordinal: int) -> list[dict[str, Any]]:
    """The claims of one Pod, as they are made."""
    meta = owner.metadata
    chosen = owner.spec.selector.get("matchLabels") or {}
    made = []
    for each in claim_templates(owner):
        given = each["metadata"]
        metadata = {key: given[key] for key in ("annotations", "finalizers") if given.get(key)}
        metadata |= {
            "name": f"{given['name']}-{pod_name(owner, ordinal)}",
            "namespace": meta.namespace,
            "labels": {**(given.get("labels") or {}), **chosen},
        }
        made.append({"metadata": metadata, "spec": each.get("spec") or {}})
    return made


def numbered_pod(owner: StatefulSet, template: Template, revision: str, ordinal: int) -> Template:
    """The Pod of a number, of a revision's template."""
    name = pod_name(owner, ordinal)
    marks = {_NAME_LABEL: name, _INDEX_LABEL: str(ordinal), REVISION_LABEL: revision}
    pod = pod_of(template, STATEFUL_SET, owner, marks)
    pod["metadata"]["name"] = name
    spec = pod["spec"]
    volumes = {}
    for each in claim_templates(owner):
        volume = each["metadata"]["name"]
        source = {"claimName": f"{volume}-{name}", "readOnly": False}
        volumes[volume] = {"name": volume, "persistentVolumeClaim": source}
    others = [each for each in spec.get("volumes") or () if each["name"] not in volumes]
    spec["volumes"] = [*volumes.values(), *others]
    spec["hostname"], spec["subdomain"] = name, owner.spec.service_name
    return pod
