"""ReplicationControllers: ReplicaSets of an older form, whose selector is labels alone and may be left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from homeostat.sim.apiserver.kinds.names import number_causes
from homeostat.sim.apiserver.kinds.pods.defaults import default_template
from homeostat.sim.apiserver.kinds.pods.judging import template_causes
from homeostat.sim.apiserver.kinds.workloads import MISFIT, ReplicaSetStrategy
from homeostat.sim.apiserver.refusing import Cause
from homeostat.sim.apiserver.schemas.causes import invalid, not_supported, required
from homeostat.sim.apiserver.types.type import Value


class ReplicationControllerStrategy(ReplicaSetStrategy):
    """What it owns stays when it goes, unless somebody says otherwise."""

    orphans = True

    def default(self, value: Value) -> None:
        """One Pod; those of its template are meant, and labelled as, where nothing else is said."""
        spec = value.setdefault("spec", {})
        spec.setdefault("replicas", 1)
        template = spec.get("template")
        if template is None:
            return
        labels = (template.get("metadata") or {}).get("labels") or {}
        if labels and not spec.get("selector"):
            spec["selector"] = dict(labels)
        if labels and not value["metadata"].get("labels"):
            value["metadata"]["labels"] = dict(labels)
        default_template(template)

    def causes(self, value: Value, old: Value | None) -> Iterable[Cause]:  # noqa: ARG002
        """Of its spec; its selector may change."""
        spec = value.get("spec", {})
        yield from number_causes(spec, "spec", "minReadySeconds")
        selector = spec.get("selector") or {}
        if not selector:
            yield required("spec.selector")
        yield from number_causes(spec, "spec", "replicas")
        if spec.get("template") is None:
            yield required("spec.template")
        else:
            yield from _of_template(spec["template"], selector)


def _of_template(template: Value, selector: Value) -> Iterator[Cause]:
    labels = (template.get("metadata") or {}).get("labels")
    if selector and not selector.items() <= (labels or {}).items():
        yield invalid("spec.template.metadata.labels", labels, MISFIT)
    spec = template.get("spec", {})
    yield from template_causes(template, "spec.template")
    if spec.get("restartPolicy") != "Always":
        yield not_supported("spec.template.spec.restartPolicy", spec.get("restartPolicy"), ("Always",))
