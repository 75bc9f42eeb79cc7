"""Deployments and StatefulSets, as far as somebody waits for their rollout."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from homeostat.api.kind import Kind, Resource
from homeostat.api.meta import ObjectMeta
from homeostat.api.pods import PodSpec


class PodTemplate(Struct, frozen=True, gc=False):
    """What the Pods will run; its metadata are not read."""

    spec: PodSpec = PodSpec()


class WorkloadCondition(Struct, frozen=True, gc=False, rename="camel"):
    """One aspect of a rollout."""

    type: str
    status: str
    reason: str = ""
    message: str = ""
    last_transition_time: datetime | None = None


class WorkloadSpec(Struct, frozen=True, gc=False):
    """How many replicas are wanted, of what."""

    replicas: int = 1
    template: PodTemplate = PodTemplate()


class RollingUpdate(Struct, frozen=True, gc=False):
    """Down to which number a StatefulSet replaces Pods of an older revision."""

    partition: int = 0


class UpdateStrategy(Struct, frozen=True, gc=False, rename="camel"):
    """How a StatefulSet comes to a new revision."""

    rolling_update: RollingUpdate = RollingUpdate()


class StatefulSetSpec(WorkloadSpec, frozen=True, gc=False, rename="camel"):
    """How many replicas are wanted, of what, and which of them may be replaced."""

    update_strategy: UpdateStrategy = UpdateStrategy()


class WorkloadStatus(Struct, frozen=True, gc=False, rename="camel"):
    """How many replicas there are; absent numbers are zero, as in Go."""

    observed_generation: int = 0
    replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    updated_replicas: int = 0
    conditions: tuple[WorkloadCondition, ...] = ()


class StatefulSetStatus(WorkloadStatus, frozen=True, gc=False, rename="camel"):
    """How many replicas there are, and of which revision."""

    current_revision: str = ""
    update_revision: str = ""


class Deployment(Struct, frozen=True, gc=False):
    """A Deployment."""

    metadata: ObjectMeta
    spec: WorkloadSpec = WorkloadSpec()
    status: WorkloadStatus = WorkloadStatus()


class StatefulSet(Struct, frozen=True, gc=False):
    """A StatefulSet."""

    metadata: ObjectMeta
    spec: StatefulSetSpec = StatefulSetSpec()
    status: StatefulSetStatus = StatefulSetStatus()


DEPLOYMENT = Kind(Resource("apps", "v1", "Deployment", "deployments"), Deployment)
STATEFUL_SET = Kind(Resource("apps", "v1", "StatefulSet", "statefulsets"), StatefulSet)
