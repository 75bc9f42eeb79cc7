"""Pods, as slim as their readers allow: who runs where, on what image, and how it fares."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct, field

from homeostat.api.kind import Kind, Resource
from homeostat.api.meta import ObjectMeta
from homeostat.api.sharing import share


class Container(Struct, frozen=True, gc=False):
    """A declared container: only what tells one version of a Pod from another."""

    name: str
    image: str = ""

    def __post_init__(self) -> None:
        share(self, "name", "image")


class PodSpec(Struct, frozen=True, gc=False, rename="camel"):
    """Where a Pod runs, and what."""

    node_name: str = ""
    containers: tuple[Container, ...] = ()
    active_deadline_seconds: int | None = None

    def __post_init__(self) -> None:
        share(self, "node_name")


class ContainerStateWaiting(Struct, frozen=True, gc=False):
    """Why a container does not run yet, such as ErrImagePull or CrashLoopBackOff."""

    reason: str = ""
    message: str = ""


class ContainerStateRunning(Struct, frozen=True, gc=False, rename="camel"):
    """Since when a container runs."""

    started_at: datetime | None = None


class ContainerStateTerminated(Struct, frozen=True, gc=False, rename="camel"):
    """How a container ended."""

    exit_code: int = 0
    reason: str = ""
    message: str = ""
    finished_at: datetime | None = None


class ContainerState(Struct, frozen=True, gc=False):
    """Exactly one of these is set."""

    waiting: ContainerStateWaiting | None = None
    running: ContainerStateRunning | None = None
    terminated: ContainerStateTerminated | None = None


class ContainerStatus(Struct, frozen=True, gc=False, rename="camel"):
    """How one container fares."""

    name: str
    ready: bool = False
    restart_count: int = 0
    image: str = ""
    state: ContainerState = ContainerState()
    last_state: ContainerState = ContainerState()

    def __post_init__(self) -> None:
        share(self, "name", "image")


class PodCondition(Struct, frozen=True, gc=False, rename="camel"):
    """One aspect of a Pod's state."""

    type: str
    status: str
    reason: str = ""
    message: str = ""
    last_transition_time: datetime | None = None

    def __post_init__(self) -> None:
        share(self, "type", "status", "reason")


class PodStatus(Struct, frozen=True, gc=False, rename="camel"):
    """How a Pod fares, as its kubelet and the scheduler tell."""

    phase: str = ""
    reason: str = ""
    message: str = ""
    pod_ip: str = field(default="", name="podIP")
    host_ip: str = field(default="", name="hostIP")
    start_time: datetime | None = None
    conditions: tuple[PodCondition, ...] = ()
    container_statuses: tuple[ContainerStatus, ...] = ()
    init_container_statuses: tuple[ContainerStatus, ...] = ()

    def __post_init__(self) -> None:
        share(self, "phase", "host_ip")

    def condition(self, type_: str) -> PodCondition | None:
        """The condition of a type, if the Pod has it."""
        return next((condition for condition in self.conditions if condition.type == type_), None)

    @property
    def is_ready(self) -> bool:
        """Whether its kubelet says that it takes traffic."""
        return any(condition.type == "Ready" and condition.status == "True" for condition in self.conditions)


class Pod(Struct, frozen=True, gc=False):
    """A Pod."""

    metadata: ObjectMeta
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()

    @property
    def is_ready(self) -> bool:
        """Whether the Pod passes its readiness checks and is not being deleted."""
        ready = self.status.condition("Ready")
        return ready is not None and ready.status == "True" and self.metadata.deletion_timestamp is None


POD = Kind(Resource("", "v1", "Pod", "pods"), Pod)
