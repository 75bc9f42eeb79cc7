"""What makes Pods of a template: Deployments, ReplicaSets, StatefulSets and DaemonSets.

Not judged: annotations and pod templates beyond `pods.judging`, claims of StatefulSets, and shares below 1% of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from homeostat.sim.apiserver.kinds.names import (
    as_struct,
    is_empty,
    number_causes,
    selector_causes,
    share_causes,
    too_much_causes,
)
from homeostat.sim.apiserver.kinds.pods.defaults import default_template
from homeostat.sim.apiserver.kinds.pods.judging import metadata_causes, spec_causes, template_causes
from homeostat.sim.apiserver.refusing import Cause
from homeostat.sim.apiserver.schemas.causes import InOrder, forbidden, invalid, not_supported, required
from homeostat.sim.apiserver.selecting.labels import requirements_of, selects
from homeostat.sim.apiserver.types.metadata import IMMUTABLE
from homeostat.sim.apiserver.types.type import Strategy, Value

_ROLLING, _RECREATE, _ON_DELETE = "RollingUpdate", "Recreate", "OnDelete"
_TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"
_BAD_SELECTOR = "invalid label selector"
# What is said of a bad selector as a whole, where anything is.
_SAY_SELECTOR = {"deployment": _BAD_SELECTOR, "replicaset": _BAD_SELECTOR, "statefulset": ""}
MISFIT = "`selector` does not match template `labels`"
_STATEFUL_FIXED = (
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy',"
    " 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
)
_STATEFUL_FREE = (
    "replicas",
    "ordinals",
    "template",
    "updateStrategy",
    "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy",
    "minReadySeconds",
)


class ReplicaSetStrategy(Strategy):
    """A number of equal Pods."""

    def default(self, value: Value) -> None:
        """One, of a template that is filled in."""
        spec = value.setdefault("spec", {})
        spec.setdefault("replicas", 1)
        default_template(spec.setdefault("template", {}))

    def on_create(self, value: Value) -> None:
        """Nothing there yet."""
        value["status"] = {"replicas": 0}

    def causes(self, value: Value, old: Value | None) -> Iterable[Cause]:
        """Of its spec, and of the change of its selector."""
        spec = value.get("spec", {})
        yield from number_causes(spec, "spec", "replicas", "minReadySeconds")
        yield from _of_template(spec, "replicaset")
        yield from _of_selector(spec, old)

    def fields(self, value: Value) -> Mapping[str, str]:
        """How many there are."""
        return {"status.replicas": str(value.get("status", {}).get("replicas", 0))}

    @property
    def selectable(self) -> tuple[str, ...]:
        """How many there are."""
        return ("status.replicas",)


class PodTemplateStrategy(Strategy):
    """What Pods would be made of, kept by itself."""

    returns_deleted = True

    def default(self, value: Value) -> None:
        """Of everything that can be left out."""
        default_template(value.setdefault("template", {}))

    def causes(self, value: Value, old: Value | None) -> Iterable[Cause]:  # noqa: ARG002
        """Of its Pods."""
        metadata = value["template"].get("metadata") or {}
        yield from metadata_causes(metadata, "template")
        yield from spec_causes(value["template"].get("spec", {}), "template.spec")


class DeploymentStrategy(Strategy):
    """ReplicaSets, one after the other."""

    keeps_of_status = ("labels",)

    def default(self, value: Value) -> None:
        """One Pod, replaced a quarter at a time."""
        spec = value.setdefault("spec", {})
        spec.setdefault("replicas", 1)
        spec.setdefault("revisionHistoryLimit", 10)
        spec.setdefault("progressDeadlineSeconds", 600)
        strategy = spec.setdefault("strategy", {})
        if strategy.setdefault("type", _ROLLING) == _ROLLING:
            rolling = strategy.setdefault("rollingUpdate", {})
            rolling.setdefault("maxUnavailable", "25%")
            rolling.setdefault("maxSurge", "25%")
        default_template(spec.setdefault("template", {}))

    def on_create(self, value: Value) -> None:
        """Nothing there yet."""
        value["status"] = {}

    def causes(self, value: Value, old: Value | None) -> Iterable[Cause]:
        """Of its spec, and of the change of its selector."""
        spec = value.get("spec", {})
        yield from number_causes(spec, "spec", "replicas")
        yield from _of_template(spec, "deployment")
        yield from _of_deployment_strategy(spec.get("strategy", {}), "spec.strategy")
        yield from number_causes(spec, "spec", "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds")
        deadline = spec.get("progressDeadlineSeconds", 0)
        if 0 <= deadline <= spec.get("minReadySeconds", 0):
            yield invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds")
        yield from _of_selector(spec, old)


class StatefulSetStrategy(Strategy):
    """Pods with names and volumes of their own."""

    def default(self, value: Value) -> None:
        """One Pod, in order, and volumes that stay."""
        spec = value.setdefault("spec", {})
        spec.setdefault("replicas", 1)
        spec.setdefault("podManagementPolicy", "OrderedReady")
        spec.setdefault("revisionHistoryLimit", 10)
        strategy = spec.setdefault("updateStrategy", {})
        if strategy.setdefault("type", _ROLLING) == _ROLLING:
            strategy.setdefault("rollingUpdate", {}).setdefault("partition", 0)
        retained = spec.setdefault("persistentVolumeClaimRetentionPolicy", {})
        retained.setdefault("whenDeleted", "Retain")
        retained.setdefault("whenScaled", "Retain")
        for claim in spec.get("volumeClaimTemplates") or ():
            claim.setdefault("kind", "PersistentVolumeClaim")
            claim.setdefault("apiVersion", "v1")
            claim.setdefault("spec", {}).setdefault("volumeMode", "Filesystem")
            claim.setdefault("status", {}).setdefault("phase", "Pending")
        default_template(spec.setdefault("template", {}))

    def on_create(self, value: Value) -> None:
        """Nothing there yet."""
        value["status"] = {"replicas": 0, "availableReplicas": 0}

    def causes(self, value: Value, old: Value | None) -> Iterable[Cause]:
        """Of its spec, or of what of it may not change."""
        spec = value.get("spec", {})
        if old is not None and _without_free(spec) != _without_free(old.get("spec", {})):
            yield forbidden("spec", _STATEFUL_FIXED)
        policy = spec.get("podManagementPolicy")
        if policy not in ("OrderedReady", "Parallel"):
            yield invalid("spec.podManagementPolicy", policy, "must be 'OrderedReady' or 'Parallel'")
        strategy = spec.get("updateStrategy", {})
        rolling = strategy.get("rollingUpdate")
        if strategy.get("type") not in (_ROLLING, _ON_DELETE):
            shown = _as_struct(strategy)
            yield invalid("spec.updateStrategy", shown, "must be 'RollingUpdate' or 'OnDelete'")
        elif strategy["type"] == _ON_DELETE and rolling is not None:
            text = "only allowed for updateStrategy 'RollingUpdate'"
            yield invalid("spec.updateStrategy.rollingUpdate", rolling, text)
        else:
            yield from number_causes(rolling or {}, "spec.updateStrategy.rollingUpdate", "partition")
        yield from number_causes(spec, "spec", "replicas", "minReadySeconds")
        yield from _of_template(spec, "statefulset")


class RevisionStrategy(Strategy):
    """A template that a StatefulSet or a DaemonSet has, or had."""

    def causes(self, value: Value, old: Value | None) -> Iterable[Cause]:
        """Of its number, and of its data, which stay."""
        number, data = value.get("revision", 0), value.get("data")
        if number < 0:
            yield invalid("revision", number, "must be greater than or equal to 0")
        if data is None:
            yield required("data", "data is mandatory")
        elif old is not None and data != old.get("data"):
            yield invalid("data", data, IMMUTABLE)


class DaemonSetStrategy(Strategy):
    """A Pod on every host that is chosen."""

    def default(self, value: Value) -> None:
        """Replaced one at a time."""
        spec, annotations = value.setdefault("spec", {}), value["metadata"].get("annotations") or {}
        value["metadata"]["annotations"] = {_TEMPLATE_GENERATION: "0"} | annotations
        spec.setdefault("revisionHistoryLimit", 10)
        strategy = spec.setdefault("updateStrategy", {})
        if strategy.setdefault("type", _ROLLING) == _ROLLING:
            rolling = strategy.setdefault("rollingUpdate", {})
            rolling.setdefault("maxUnavailable", 1)
            rolling.setdefault("maxSurge", 0)
        default_template(spec.setdefault("template", {}))

    def on_create(self, value: Value) -> None:
        """Nothing there yet, of the first template."""
        names = ("currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady")
        value["status"] = dict.fromkeys(names, 0)
        self._count_templates(value, 1)

    def on_update(self, value: Value, old: Value) -> None:
        """Count the templates."""
        before = int((old["metadata"].get("annotations") or {}).get(_TEMPLATE_GENERATION, "1"))
        changed = value["spec"].get("template") != old.get("spec", {}).get("template")
        self._count_templates(value, before + changed)

    def causes(self, value: Value, old: Value | None) -> Iterable[Cause]:
        """Of its spec, and of the change of its selector."""
        spec = value.get("spec", {})
        yield from _of_template(spec, "daemonset", needs_selector=False)
        yield from number_causes(spec, "spec", "minReadySeconds")
        yield from _of_daemon_strategy(spec.get("updateStrategy", {}))
        yield from number_causes(spec, "spec", "revisionHistoryLimit")
        yield from _of_selector(spec, old)

    def _count_templates(self, value: Value, number: int) -> None:
        annotations = value["metadata"].get("annotations") or {}
        value["metadata"]["annotations"] = {**annotations, _TEMPLATE_GENERATION: str(number)}


def _of_template(spec: Value, what: str, *, needs_selector: bool = True) -> Iterator[Cause]:
    selector, template = spec.get("selector"), spec.get("template", {})
    bad: list[Cause] = []
    if selector is None:
        if needs_selector:
            yield required("spec.selector")
    else:
        bad = list(selector_causes(selector, "spec.selector"))
        yield from bad
        if bad and what in _SAY_SELECTOR:
            yield invalid("spec.selector", as_struct(selector), _SAY_SELECTOR[what])
        elif is_empty(selector):
            yield invalid("spec.selector", {}, f"empty selector is invalid for {what}")
    labels = (template.get("metadata") or {}).get("labels")
    is_fit = bool(bad) or (
        selector is not None and (is_empty(selector) or selects(requirements_of(selector), labels or {}))
    )
    if not is_fit:
        yield invalid("spec.template.metadata.labels", labels, MISFIT)
    claims = [each.get("metadata", {}).get("name", "") for each in spec.get("volumeClaimTemplates") or ()]
    yield from template_causes(template, "spec.template", claims=claims)
    policy = template.get("spec", {}).get("restartPolicy")
    if policy != "Always":
        yield not_supported("spec.template.spec.restartPolicy", policy, ("Always",))


def _of_selector(spec: Value, old: Value | None) -> Iterator[Cause]:
    if old is not None and spec.get("selector") != old.get("spec", {}).get("selector"):
        yield invalid("spec.selector", spec.get("selector"), IMMUTABLE)


def _of_deployment_strategy(strategy: Value, path: str) -> Iterator[Cause]:
    kind, rolling = strategy.get("type"), strategy.get("rollingUpdate")
    if kind == _RECREATE:
        if rolling is not None:
            yield forbidden(f"{path}.rollingUpdate", "may not be specified when strategy `type` is 'Recreate'")
    elif kind != _ROLLING:
        yield not_supported(path, _as_struct(strategy), (_RECREATE, _ROLLING))
    elif rolling is not None:
        below = f"{path}.rollingUpdate"
        surge, unavailable = rolling.get("maxSurge"), rolling.get("maxUnavailable")
        yield from share_causes(unavailable, f"{below}.maxUnavailable")
        yield from share_causes(surge, f"{below}.maxSurge")
        if _number(unavailable) == 0 and _number(surge) == 0:
            yield invalid(f"{below}.maxUnavailable", unavailable, "may not be 0 when `maxSurge` is 0")
        yield from too_much_causes(unavailable, f"{below}.maxUnavailable")


def _of_daemon_strategy(strategy: Value) -> Iterator[Cause]:
    kind, rolling, path = strategy.get("type"), strategy.get("rollingUpdate"), "spec.updateStrategy"
    if kind not in (_ROLLING, _ON_DELETE):
        yield not_supported(path, _as_struct(strategy), (_ROLLING, _ON_DELETE))
    elif kind == _ROLLING and rolling is not None:
        below = f"{path}.rollingUpdate"
        for name in ("maxUnavailable", "maxSurge"):
            yield from share_causes(rolling.get(name), f"{below}.{name}")
            yield from too_much_causes(rolling.get(name), f"{below}.{name}")


def _as_struct(strategy: Value) -> InOrder:
    return InOrder(Type=strategy.get("type", ""), RollingUpdate=strategy.get("rollingUpdate"))


def _number(share: Any) -> int:
    text = str(share).removesuffix("%")
    return int(text) if text.lstrip("-").isdigit() else 0


def _without_free(spec: Value) -> Value:
    return {key: each for key, each in spec.items() if key not in _STATEFUL_FREE}
