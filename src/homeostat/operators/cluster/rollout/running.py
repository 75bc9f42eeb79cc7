"""Of which versions the Pods of each component are, whatever was declared since. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from homeostat.operators.cluster.names import COMPONENT_LABEL
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.rollout.versions import Version, version_of


def running(seen: Observed) -> Mapping[str, frozenset[Version]]:
    """By component; of an image that is in no package version nothing is known. Those on their way out count."""
    known = {
        (part.name, part.image): version_of(part.version)
        for package in seen.packages.values()
        for part in package.spec.components
        if part.hosted is None
    }
    found: dict[str, set[Version]] = {}
    for pod in seen.pods:
        component = pod.metadata.labels.get(COMPONENT_LABEL, "")
        for container in pod.spec.containers:
            if (version := known.get((component, container.image))) is not None:
                found.setdefault(component, set()).add(version)
    return {component: frozenset(versions) for component, versions in found.items()}
