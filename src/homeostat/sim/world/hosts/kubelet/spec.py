"""What a kubelet reads of a Pod, and of the objects beside it. Read when a Pod begins, and kept by nobody else."""

from __future__ import annotations

from msgspec import Struct, field

from homeostat.api.kind import Kind, Resource
from homeostat.api.meta import ObjectMeta
from homeostat.api.pods import ContainerStatus, PodStatus


class KeyReference(Struct, frozen=True, gc=False):
    """One entry of a Secret or ConfigMap."""

    key: str
    name: str = ""
    optional: bool = False


class FieldReference(Struct, frozen=True, gc=False, rename="camel"):
    """A field of the Pod itself."""

    field_path: str


class ResourceReference(Struct, frozen=True, gc=False, rename="camel"):
    """What a container asks for."""

    resource: str
    container_name: str = ""
    divisor: str = "0"


class VariableSource(Struct, frozen=True, gc=False, rename="camel"):
    """Where the value of a variable comes from; one of these."""

    field_ref: FieldReference | None = None
    resource_field_ref: ResourceReference | None = None
    config_map_key_ref: KeyReference | None = None
    secret_key_ref: KeyReference | None = None


class Variable(Struct, frozen=True, gc=False, rename="camel"):
    """One environment variable."""

    name: str
    value: str = ""
    value_from: VariableSource | None = None


class Source(Struct, frozen=True, gc=False):
    """A whole Secret or ConfigMap."""

    name: str = ""
    optional: bool = False


class Variables(Struct, frozen=True, gc=False, rename="camel"):
    """All entries of an object as variables."""

    prefix: str = ""
    config_map_ref: Source | None = None
    secret_ref: Source | None = None


class Port(Struct, frozen=True, gc=False, rename="camel"):
    """A port of a container."""

    container_port: int
    name: str = ""


class Request(Struct, frozen=True, gc=False):
    """A probe over HTTP, gRPC or TCP: ports are numbers or names."""

    port: int | str = 0
    path: str = ""


class Probe(Struct, frozen=True, gc=False, rename="camel"):
    """How a container is asked. One that is asked by a command is always content: commands are not imitated."""

    http_get: Request | None = None
    tcp_socket: Request | None = None
    grpc: Request | None = None
    initial_delay_seconds: int = 0
    period_seconds: int = 10
    success_threshold: int = 1
    failure_threshold: int = 3
    termination_grace_period_seconds: int | None = None

    @property
    def request(self) -> Request | None:
        """What is asked; None where a command would be run."""
        return self.http_get or self.tcp_socket or self.grpc


class Sleep(Struct, frozen=True, gc=False):
    """A pause before the end."""

    seconds: int = 0


class Hook(Struct, frozen=True, gc=False):
    """What is done before a container ends. Commands and requests take no time here."""

    sleep: Sleep | None = None


class Lifecycle(Struct, frozen=True, gc=False, rename="camel"):
    """Hooks of a container."""

    pre_stop: Hook | None = None


class Mount(Struct, frozen=True, gc=False, rename="camel"):
    """Where a volume is seen in a container."""

    name: str
    mount_path: str
    sub_path: str = ""
    sub_path_expr: str = ""


class Resources(Struct, frozen=True, gc=False):
    """What a container asks for, and may use."""

    limits: dict[str, str] = {}
    requests: dict[str, str] = {}


class ContainerSpec(Struct, frozen=True, gc=False, rename="camel"):
    """A container."""

    name: str
    image: str = ""
    image_pull_policy: str = "IfNotPresent"
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    env: tuple[Variable, ...] = ()
    env_from: tuple[Variables, ...] = ()
    ports: tuple[Port, ...] = ()
    resources: Resources = Resources()
    volume_mounts: tuple[Mount, ...] = ()
    lifecycle: Lifecycle | None = None
    startup_probe: Probe | None = None
    readiness_probe: Probe | None = None
    liveness_probe: Probe | None = None
    restart_policy: str = ""  # Always: an init container that stays beside the others
    termination_message_path: str = "/dev/termination-log"


class Item(Struct, frozen=True, gc=False, rename="camel"):
    """One file of a volume."""

    path: str
    key: str = ""
    field_ref: FieldReference | None = None
    resource_field_ref: ResourceReference | None = None


class Files(Struct, frozen=True, gc=False, rename="camel"):
    """A volume of files; a Secret calls itself `secretName` where it is the only source."""

    name: str = ""
    secret_name: str = ""
    items: tuple[Item, ...] = ()
    optional: bool = False


class TokenSource(Struct, frozen=True, gc=False, rename="camel"):
    """A token of the Pod's account, for somebody and for a while."""

    path: str
    audience: str = ""
    expiration_seconds: int = 3600


class Projection(Struct, frozen=True, gc=False, rename="camel"):
    """One source of several."""

    secret: Files | None = None
    config_map: Files | None = None
    downward_api: Files | None = field(default=None, name="downwardAPI")
    service_account_token: TokenSource | None = None


class Projected(Struct, frozen=True, gc=False):
    """Files of several sources."""

    sources: tuple[Projection, ...] = ()


class ClaimSource(Struct, frozen=True, gc=False, rename="camel"):
    """A claim."""

    claim_name: str


class HostPath(Struct, frozen=True, gc=False):
    """A directory of the host."""

    path: str


class Empty(Struct, frozen=True, gc=False):
    """Nothing to begin with."""


class Volume(Struct, frozen=True, gc=False, rename="camel"):
    """A volume of a Pod; one of these. All others are empty directories."""

    name: str
    secret: Files | None = None
    config_map: Files | None = None
    projected: Projected | None = None
    downward_api: Files | None = field(default=None, name="downwardAPI")
    persistent_volume_claim: ClaimSource | None = None
    host_path: HostPath | None = None
    ephemeral: Empty | None = None


class Gate(Struct, frozen=True, gc=False, rename="camel"):
    """A condition that others set before a Pod is ready."""

    condition_type: str


class PodSpec(Struct, frozen=True, gc=False, rename="camel"):
    """What a Pod is."""

    node_name: str = ""
    service_account_name: str = ""
    restart_policy: str = "Always"
    termination_grace_period_seconds: int = 30
    host_network: bool = False
    init_containers: tuple[ContainerSpec, ...] = ()
    containers: tuple[ContainerSpec, ...] = ()
    volumes: tuple[Volume, ...] = ()
    readiness_gates: tuple[Gate, ...] = ()


class WholePod(Struct, frozen=True, gc=False):
    """A Pod with all that a kubelet needs."""

    metadata: ObjectMeta
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()

    def told(self, name: str) -> ContainerStatus | None:
        """What was last said of a container."""
        both = (*self.status.init_container_statuses, *self.status.container_statuses)
        return next((each for each in both if each.name == name), None)


class Trace(Struct, frozen=True, gc=False):
    """That an object is there, and in which version: its content is read by those who need it."""

    metadata: ObjectMeta


class LocalVolume(Struct, frozen=True, gc=False):
    """A directory of one host."""

    path: str = ""


class HostVolumeSpec(Struct, frozen=True, gc=False, rename="camel"):
    """Where a volume lies."""

    local: LocalVolume | None = None
    host_path: LocalVolume | None = None


class HostVolume(Struct, frozen=True, gc=False):
    """A PersistentVolume."""

    metadata: ObjectMeta
    spec: HostVolumeSpec = HostVolumeSpec()

    @property
    def is_local(self) -> bool:
        """Whether it lies on a host's own disk."""
        return self.spec.local is not None or self.spec.host_path is not None


_PODS = Resource("", "v1", "Pod", "pods")
WHOLE_POD = Kind(_PODS, WholePod)
SECRET_TRACE = Kind(Resource("", "v1", "Secret", "secrets"), Trace)
CONFIG_MAP_TRACE = Kind(Resource("", "v1", "ConfigMap", "configmaps"), Trace)
HOST_VOLUME = Kind(Resource("", "v1", "PersistentVolume", "persistentvolumes", namespaced=False), HostVolume)
