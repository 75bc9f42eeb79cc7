"""Deployments, ReplicaSets, StatefulSets and their revisions, as the controllers of a cluster read them.

Templates stay the bytes that the server sent: they are compared by their digests, and decoded when a Pod is made.
"""

from __future__ import annotations

from datetime import datetime

from msgspec import Raw, Struct, field
from msgspec.structs import force_setattr

from homeostat.api.kind import Kind, Resource
from homeostat.api.meta import ObjectMeta
from homeostat.sim.world.kinds.pods import Selector

Share = int | str
"""A number, or a part of another one in percent."""
EMPTY = Raw(b"{}")


class WorkloadCondition(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True, kw_only=True):
    """One aspect of a workload's state. Only Deployments tell when one was last found to hold."""

    type: str
    status: str
    reason: str = ""
    message: str = ""
    last_update_time: datetime | None = None
    last_transition_time: datetime | None = None


class WorkloadSpec(Struct, frozen=True, gc=False, rename="camel", kw_only=True):
    """What all of them have."""

    selector: Selector = {}
    template: Raw = EMPTY
    min_ready_seconds: int = 0

    def __post_init__(self) -> None:
        # Otherwise it would hold the whole answer that it came in.
        force_setattr(self, "template", self.template.copy())


class ReplicaSetSpec(WorkloadSpec, frozen=True, gc=False, rename="camel", kw_only=True):
    """A number of equal Pods."""

    replicas: int = 1


class ReplicaSetStatus(Struct, frozen=True, gc=False, rename="camel", kw_only=True):
    """How many of them there are, and how they fare."""

    observed_generation: int = 0
    replicas: int = 0
    fully_labeled_replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    terminating_replicas: int | None = None
    conditions: tuple[WorkloadCondition, ...] = ()


class ReplicaSet(Struct, frozen=True, gc=False):
    """A ReplicaSet."""

    metadata: ObjectMeta
    spec: ReplicaSetSpec = ReplicaSetSpec()
    status: ReplicaSetStatus = ReplicaSetStatus()


class ReplicationControllerSpec(ReplicaSetSpec, frozen=True, gc=False, rename="camel", kw_only=True):
    """A number of equal Pods, in the older form: its selector is labels alone."""

    def __post_init__(self) -> None:
        super().__post_init__()
        force_setattr(self, "selector", {"matchLabels": self.selector})


class ReplicationController(ReplicaSet, frozen=True, gc=False):
    """A ReplicationController: a ReplicaSet of an older form."""

    spec: ReplicationControllerSpec = ReplicationControllerSpec()


class RollingDeployment(Struct, frozen=True, gc=False, rename="camel"):
    """How many Pods there may be more, and how many may be missing, on the way to another template."""

    max_surge: Share = "25%"
    max_unavailable: Share = "25%"


class DeploymentStrategy(Struct, frozen=True, gc=False, rename="camel"):
    """The way to another template."""

    type: str = "RollingUpdate"
    rolling_update: RollingDeployment = RollingDeployment()


class DeploymentSpec(ReplicaSetSpec, frozen=True, gc=False, rename="camel", kw_only=True):
    """What there is to be, and how to come there."""

    strategy: DeploymentStrategy = DeploymentStrategy()
    paused: bool = False
    revision_history_limit: int = 10
    progress_deadline_seconds: int = 600


class DeploymentStatus(Struct, frozen=True, gc=False, rename="camel", kw_only=True):
    """How far it has come."""

    observed_generation: int = 0
    replicas: int = 0
    updated_replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    unavailable_replicas: int = 0
    terminating_replicas: int | None = None
    collision_count: int | None = None
    conditions: tuple[WorkloadCondition, ...] = ()


class Deployment(Struct, frozen=True, gc=False):
    """A Deployment."""

    metadata: ObjectMeta
    spec: DeploymentSpec = DeploymentSpec()
    status: DeploymentStatus = DeploymentStatus()


class RollingSet(Struct, frozen=True, gc=False, rename="camel"):
    """Down to which number Pods are replaced, and how many at a time."""

    partition: int = 0
    max_unavailable: Share | None = None


class UpdateStrategy(Struct, frozen=True, gc=False, rename="camel"):
    """How a StatefulSet comes to another revision."""

    type: str = "RollingUpdate"
    rolling_update: RollingSet | None = None


class Ordinals(Struct, frozen=True, gc=False):
    """The number of the first Pod."""

    start: int = 0


class RetentionPolicy(Struct, frozen=True, gc=False, rename="camel"):
    """What becomes of claims whose Pod is not wanted any more."""

    when_deleted: str = "Retain"
    when_scaled: str = "Retain"


class StatefulSetSpec(ReplicaSetSpec, frozen=True, gc=False, rename="camel", kw_only=True):
    """Pods with names and volumes of their own."""

    service_name: str = ""
    pod_management_policy: str = "OrderedReady"
    update_strategy: UpdateStrategy = UpdateStrategy()
    revision_history_limit: int = 10
    ordinals: Ordinals = Ordinals()
    volume_claim_templates: Raw = Raw(b"[]")
    retention: RetentionPolicy = field(default=RetentionPolicy(), name="persistentVolumeClaimRetentionPolicy")

    def __post_init__(self) -> None:
        super().__post_init__()
        force_setattr(self, "volume_claim_templates", self.volume_claim_templates.copy())


class StatefulSetStatus(Struct, frozen=True, gc=False, rename="camel", kw_only=True):
    """How many there are, and of which revision."""

    observed_generation: int = 0
    replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    current_replicas: int = 0
    updated_replicas: int = 0
    current_revision: str = ""
    update_revision: str = ""
    collision_count: int | None = None


class StatefulSet(Struct, frozen=True, gc=False):
    """A StatefulSet."""

    metadata: ObjectMeta
    spec: StatefulSetSpec = StatefulSetSpec()
    status: StatefulSetStatus = StatefulSetStatus()


class RollingDaemons(Struct, frozen=True, gc=False, rename="camel"):
    """On how many Nodes a Pod may be missing, and on how many there may be two, on the way to another template."""

    max_unavailable: Share = 1
    max_surge: Share = 0


class DaemonStrategy(Struct, frozen=True, gc=False, rename="camel"):
    """The way to another template."""

    type: str = "RollingUpdate"
    rolling_update: RollingDaemons = RollingDaemons()


class DaemonSetSpec(WorkloadSpec, frozen=True, gc=False, rename="camel", kw_only=True):
    """A Pod on every Node that suits it."""

    update_strategy: DaemonStrategy = DaemonStrategy()
    revision_history_limit: int = 10


class DaemonSetStatus(Struct, frozen=True, gc=False, rename="camel", kw_only=True):
    """On how many Nodes there is one, and how they fare."""

    observed_generation: int = 0
    current_number_scheduled: int = 0
    desired_number_scheduled: int = 0
    updated_number_scheduled: int = 0
    number_misscheduled: int = 0
    number_ready: int = 0
    number_available: int = 0
    number_unavailable: int = 0
    collision_count: int | None = None


class DaemonSet(Struct, frozen=True, gc=False):
    """A DaemonSet."""

    metadata: ObjectMeta
    spec: DaemonSetSpec = DaemonSetSpec()
    status: DaemonSetStatus = DaemonSetStatus()


class ControllerRevision(Struct, frozen=True, gc=False):
    """A template that a workload has, or had."""

    metadata: ObjectMeta
    revision: int = 0
    data: Raw = EMPTY

    def __post_init__(self) -> None:
        force_setattr(self, "data", self.data.copy())


REPLICA_SET = Kind(Resource("apps", "v1", "ReplicaSet", "replicasets"), ReplicaSet)
REPLICATION_CONTROLLER: Kind[ReplicaSet] = Kind(
    Resource("", "v1", "ReplicationController", "replicationcontrollers"), ReplicationController
)
DEPLOYMENT = Kind(Resource("apps", "v1", "Deployment", "deployments"), Deployment)
STATEFUL_SET = Kind(Resource("apps", "v1", "StatefulSet", "statefulsets"), StatefulSet)
DAEMON_SET = Kind(Resource("apps", "v1", "DaemonSet", "daemonsets"), DaemonSet)
CONTROLLER_REVISION = Kind(Resource("apps", "v1", "ControllerRevision", "controllerrevisions"), ControllerRevision)
