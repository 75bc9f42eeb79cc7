"""Jobs: Pods that end. A Job knows its Pods by its own uid.

Not judged: deadlines of suspended Jobs, and changes of the template.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from homeostat.sim.apiserver.kinds import job_policies
from homeostat.sim.apiserver.kinds.names import number_causes
from homeostat.sim.apiserver.kinds.pods.defaults import default_template
from homeostat.sim.apiserver.kinds.pods.judging import template_causes
from homeostat.sim.apiserver.refusing import Cause
from homeostat.sim.apiserver.schemas.causes import child, invalid, not_supported, required
from homeostat.sim.apiserver.selecting.labels import requirements_of, selects
from homeostat.sim.apiserver.types.metadata import IMMUTABLE
from homeostat.sim.apiserver.types.type import Strategy, Value

_UID, _NAME = "batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name"
_OLD_UID, _OLD_NAME = "controller-uid", "job-name"
MODES = ("NonIndexed", "Indexed")
_MISFIT = "`selector` does not match template `labels`"
NUMBERS = (
    *("parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished"),
    *("backoffLimitPerIndex", "maxFailedIndexes"),
)


class JobStrategy(Strategy):
    """Whoever deletes a Job and says no more leaves its Pods."""

    orphans = True

    def default(self, value: Value) -> None:
        """One Pod, tried seven times."""
        spec = value.setdefault("spec", {})
        if spec.get("completions") is None and spec.get("parallelism") is None:
            spec["completions"] = 1
        spec.setdefault("parallelism", 1)
        spec.setdefault("completionMode", "NonIndexed")
        spec.setdefault("suspend", False)
        spec.setdefault("backoffLimit", 6 if spec.get("backoffLimitPerIndex") is None else job_policies.MOST_AT_ONCE)
        spec.setdefault("manualSelector", False)
        replacement = "Failed" if spec.get("podFailurePolicy") else "TerminatingOrFailed"
        spec.setdefault("podReplacementPolicy", replacement)
        job_policies.default_policies(spec)
        template = spec.setdefault("template", {})
        default_template(template)
        labels = (template.get("metadata") or {}).get("labels")
        if labels and not value["metadata"].get("labels"):
            value["metadata"]["labels"] = dict(labels)

    def on_create(self, value: Value) -> None:
        """Its Pods carry its uid and its name."""
        value["status"] = {}
        spec, metadata = value["spec"], value["metadata"]
        if spec.get("manualSelector"):
            return
        metadata_of_pods = spec["template"].setdefault("metadata", {})
        given = metadata_of_pods.get("labels") or {}
        made = {_UID: metadata["uid"], _NAME: metadata.get("name", "")}
        made |= {_OLD_UID: metadata["uid"], _OLD_NAME: metadata.get("name", "")}
        metadata_of_pods["labels"] = given | made
        selector = spec.setdefault("selector", {})
        selector["matchLabels"] = (selector.get("matchLabels") or {}) | {_UID: metadata["uid"]}
        # A Job without labels of its own has those of its Pods.
        if not metadata.get("labels") or metadata["labels"] == given:
            metadata["labels"] = dict(metadata_of_pods["labels"])

    def causes(self, value: Value, old: Value | None) -> Iterable[Cause]:
        """Of its spec, and of what of it may not change."""
        spec = value.get("spec", {})
        yield from spec_causes(spec, "spec")
        yield from _of_selector(spec, value["metadata"].get("uid", ""))
        yield from pods_causes(spec.get("template", {}), "spec.template", never="podFailurePolicy" in spec)
        if old is not None:
            yield from _of_change(spec, old.get("spec", {}))

    def fields(self, value: Value) -> Mapping[str, str]:
        """How many have done it."""
        return {"status.successful": str(value.get("status", {}).get("succeeded", 0))}

    @property
    def selectable(self) -> tuple[str, ...]:
        """How many have done it."""
        return ("status.successful",)


def spec_causes(spec: Value, path: str) -> Iterator[Cause]:
    """Faults of a spec, but for its selector and its Pods."""
    yield from number_causes(spec, path, *NUMBERS)
    mode = spec.get("completionMode")
    if mode is not None and mode not in MODES:
        yield not_supported(child(path, "completionMode"), mode, MODES)
    yield from job_policies.index_causes(spec, path)
    yield from job_policies.policy_causes(spec, path)


def pods_causes(template: Value, path: str, *, never: bool = False) -> Iterator[Cause]:
    """Faults of a template of Pods that end; of some, no container is ever started again."""
    yield from template_causes(template, path)
    policy, place = template.get("spec", {}).get("restartPolicy"), child(path, "spec.restartPolicy")
    if policy == "Always":
        yield required(place, 'valid values: "OnFailure", "Never"')
    elif policy not in ("OnFailure", "Never"):
        yield not_supported(place, policy, ("OnFailure", "Never"))
    elif never and policy != "Never":
        yield invalid(place, policy, 'only "Never" is supported when podFailurePolicy is specified')


def _of_selector(spec: Value, uid: str) -> Iterator[Cause]:
    template, selector = spec.get("template", {}), spec.get("selector")
    labels = (template.get("metadata") or {}).get("labels")
    if selector is None:
        yield required("spec.selector")
    elif not spec.get("manualSelector") and selector != {"matchLabels": {_UID: uid}}:
        yield invalid("spec.selector", selector, "`selector` not auto-generated")
    if selector is None or not selects(requirements_of(selector), labels or {}):
        yield invalid("spec.template.metadata.labels", labels, _MISFIT)


def _of_change(spec: Value, old: Value) -> Iterator[Cause]:
    if spec.get("completions") != old.get("completions"):
        if spec.get("completionMode") != "Indexed":
            yield invalid("spec.completions", spec.get("completions"), IMMUTABLE)
        elif spec.get("completions") != spec.get("parallelism"):
            text = "can only be modified in tandem with spec.parallelism"
            yield invalid("spec.completions", spec.get("completions"), text)
    if spec.get("selector") is None:
        # An update is judged twice, once as a Job of its own.
        labels = (spec.get("template", {}).get("metadata") or {}).get("labels")
        yield required("spec.selector")
        yield invalid("spec.template.metadata.labels", labels, _MISFIT)
    for name in ("selector", "completionMode"):
        if spec.get(name) != old.get(name):
            yield invalid(f"spec.{name}", spec.get(name), IMMUTABLE)
    if not spec.get("suspend") and spec.get("template") != old.get("template"):
        yield invalid("spec.template", spec.get("template"), IMMUTABLE)
    yield from job_policies.kept_causes(spec, old, "spec")
