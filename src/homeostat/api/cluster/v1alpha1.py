"""Cluster and ClusterPackageVersion, version v1alpha1.

A Cluster declares one business cluster, whose masters run as Pods beside the object, in its namespace. A
ClusterPackageVersion names, once and for ever, the versions and parameters that masters are made of.

Writers: people own `spec`; the cluster operator (field manager `homeostat-cluster`) owns `status`, but for the parts
that the docstring of a module beside this one claims for another loop. States, reasons and phases are open words, so
that an older reader understands a newer writer; lists that writers share are list maps by name or type.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar

from msgspec import Struct

from homeostat.api.cluster.audit import ClusterAudit
from homeostat.api.cluster.backup import ClusterBackup, ClusterBackupStatus
from homeostat.api.cluster.certificates import (
    ClusterCertificateStatus,
    ClusterKeys,
    ClusterRotations,
    ClusterRotationStatus,
)
from homeostat.api.cluster.components import ComponentStatus, PackageComponent
from homeostat.api.cluster.etcd import ClusterEtcdStatus, ClusterStorage
from homeostat.api.cluster.healing import ClusterHealing, ClusterHealingStatus
from homeostat.api.cluster.network import ClusterEndpoint, ClusterEndpointStatus, ClusterNetwork
from homeostat.api.cluster.parameters import ComponentOverride
from homeostat.api.cluster.restoring import ClusterRestoreStatus, QuorumLossStatus, RestoreFrom
from homeostat.api.cluster.rules import (
    CLUSTER_NAME,
    DEPENDENCIES_KNOWN,
    DNS_NAME,
    PACKAGE_COMPLETE,
    PACKAGE_VERSION_MATCHES,
    RESTORE_KEPT,
)
from homeostat.api.cluster.scaling import ClusterTopologyStatus
from homeostat.api.cluster.upgrades import (
    ClusterEmulationStatus,
    ClusterRollbackStatus,
    ClusterUpgradePolicy,
    ClusterUpgradeStatus,
    PackageDigestStatus,
)
from homeostat.api.kind import Kind, Resource
from homeostat.api.meta import Condition, ObjectMeta
from homeostat.api.schema import Column, Definition, Rule, doc

GROUP = "cluster.homeostat.dev"
VERSION = "v1alpha1"

MAX_CLUSTER_NAME = 40  # the longest name from which every derived object's name still fits into 63 characters


class ClusterSpec(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True, kw_only=True):
    """The final state that the owner declares."""

    package_version: Annotated[
        str,
        doc(
            "The name of the ClusterPackageVersion that the masters are made of. A change moves them there one by one, "
            "up or down by one minor version at most, and may itself be changed at any time.",
            maxLength=63,
            minLength=1,
            pattern=DNS_NAME,
        ),
    ]
    network: Annotated[ClusterNetwork, doc("The business cluster's own address ranges.")]
    topology: Annotated[
        str,
        doc(
            "How many masters there are. `single`: one of each component. `ha`: three etcd members and two of "
            "everything else, kept apart over three zones of the cell, so that any one zone can be lost. A change "
            "keeps data and endpoint; masters come or go one by one, and it may itself be changed at any time.",
            enum=["single", "ha"],
        ),
    ] = "single"
    endpoint: Annotated[ClusterEndpoint, doc("Where the API server is reached.")] = ClusterEndpoint()
    storage: Annotated[ClusterStorage, doc("The volumes of etcd.")] = ClusterStorage()
    overrides: Annotated[
        tuple[ComponentOverride, ...],
        doc(
            "What differs from the package version in single components. A change moves the components that it is"
            " about one by one, as a change of the package version does.",
            maxItems=16,
            list_map_keys=["name"],
        ),
    ] = ()
    upgrade_policy: Annotated[ClusterUpgradePolicy, doc("How the masters move to another package version.")] = (
        ClusterUpgradePolicy()
    )
    backup: Annotated[ClusterBackup, doc("When snapshots of etcd are taken, and which are kept.")] = ClusterBackup()
    healing: Annotated[ClusterHealing, doc("How far the operator goes to mend masters that broke.")] = ClusterHealing()
    audit: Annotated[ClusterAudit, doc("The log of who asked the API for what.")] = ClusterAudit()
    keys: Annotated[ClusterKeys, doc("Keys and certificates of the cluster.")] = ClusterKeys()
    restore_from: Annotated[
        RestoreFrom | None,
        doc("Begin with the data of this snapshot instead of an empty etcd. Immutable."),
    ] = None
    deletion_protection: Annotated[bool, doc("Refuse to delete this Cluster. Set it to false first to delete.")] = False
    paused: Annotated[
        bool, doc("Touch nothing until it is false again; the masters run on. A deletion goes on all the same.")
    ] = False

    rules: ClassVar[tuple[Rule, ...]] = (RESTORE_KEPT,)


class ClusterStatus(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True, kw_only=True):
    """What the operator last saw and did."""

    observed_generation: Annotated[int, doc("The metadata.generation that this status is about.", minimum=0)] = 0
    phase: Annotated[
        str,
        doc(
            "The conditions in one word, for people: Pending, Provisioning, Restoring, Ready, Upgrading, Scaling, "
            "Degraded, Deleting or Paused. Programs read the conditions.",
            maxLength=63,
        ),
    ] = ""
    package_version: Annotated[
        str, doc("The ClusterPackageVersion that all masters were made of when a move last was complete.", maxLength=63)
    ] = ""
    previous_package_version: Annotated[
        str, doc("The one before that, which `homeostat rollback` goes back to.", maxLength=63)
    ] = ""
    package_digests: Annotated[
        tuple[PackageDigestStatus, ...],
        doc(
            "What the package versions said that masters are made of; nothing is made of another one of the same name.",
            maxItems=16,
            list_map_keys=["name"],
        ),
    ] = ()
    overrides: Annotated[
        tuple[ComponentOverride, ...],
        doc("The overrides that all masters had when a move last was complete.", maxItems=16, list_map_keys=["name"]),
    ] = ()
    upgrade: Annotated[
        ClusterUpgradeStatus | None, doc("The move to another package version that is under way, or that failed.")
    ] = None
    rollback: Annotated[
        tuple[ClusterRollbackStatus, ...],
        doc("Which older package versions the cluster can go to.", maxItems=16, list_map_keys=["packageVersion"]),
    ] = ()
    topology: Annotated[
        ClusterTopologyStatus | None, doc("How many masters there are to be now, and what of that changes.")
    ] = None
    emulation: Annotated[
        ClusterEmulationStatus | None,
        doc("The older minor version that masters serve, or served at first when they last moved up a minor."),
    ] = None
    kubernetes_version: Annotated[
        str,
        doc(
            "The Kubernetes version that is served. While masters emulate an older minor version: that one, and behind"
            " a `+` what they are, such as v1.34.0+v1.35.4.",
            maxLength=63,
        ),
    ] = ""
    kubelets: Annotated[
        tuple[str, ...],
        doc(
            "Of which versions kubelets were when last asked. What Nodes say there that is no version is left out.",
            maxItems=64,
            items={"maxLength": 63},
        ),
    ] = ()
    endpoint: Annotated[ClusterEndpointStatus | None, doc("Where the API server is reached; assigned once.")] = None
    components: Annotated[
        tuple[ComponentStatus, ...], doc("The master components.", maxItems=64, list_map_keys=["name"])
    ] = ()
    conditions: Annotated[
        tuple[Condition, ...],
        doc("The aspects of the state, each with its reason.", maxItems=32, list_map_keys=["type"]),
    ] = ()
    started_at: Annotated[datetime | None, doc("When the operator began to create the cluster.")] = None
    ready_at: Annotated[
        datetime | None,
        doc("When the cluster was Ready for the first time, or had served for ten minutes without that."),
    ] = None
    rolling_since: Annotated[
        datetime | None,
        doc(
            "Since when masters are made anew because a wish changed or certificates have had their time, or since the"
            " last step of that: the cluster takes one of the places that the cell has for it. Absent when none are."
        ),
    ] = None
    backup: Annotated[ClusterBackupStatus | None, doc("What became of the backups.")] = None
    etcd: Annotated[ClusterEtcdStatus | None, doc("How full etcd is, and what is wrong with its data.")] = None
    healing: Annotated[ClusterHealingStatus | None, doc("What was done to mend masters, and is being done.")] = None
    certificates: Annotated[
        tuple[ClusterCertificateStatus, ...],
        doc("When certificates run out, by authority.", maxItems=16, list_map_keys=["authority"]),
    ] = ()
    rotations: Annotated[ClusterRotations, doc("The rotations of keys that are done.")] = ClusterRotations()
    rotation: Annotated[ClusterRotationStatus | None, doc("The rotation of keys that is under way.")] = None
    audit_level: Annotated[
        str, doc("The level of the audit log that API servers are made with; empty: none.", maxLength=63)
    ] = ""
    encryption_key: Annotated[
        str, doc("The name of the key that Secrets are encrypted with in etcd; empty: they are not.", maxLength=63)
    ] = ""
    restore: Annotated[
        ClusterRestoreStatus | None, doc("The restore from a snapshot that is under way, or the last one.")
    ] = None
    quorum_loss: Annotated[
        QuorumLossStatus | None,
        doc("Since when etcd has no quorum, or none that agrees, and what a restore would lose."),
    ] = None
    attempts: Annotated[
        int, doc("How often the step under way was tried without success; survives the operator's restart.", minimum=0)
    ] = 0


class Cluster(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True, kw_only=True):
    """One business cluster, whose masters run as Pods in the namespace of this object."""

    metadata: ObjectMeta
    spec: Annotated[ClusterSpec, doc("The final state that the owner declares.")]
    status: Annotated[ClusterStatus, doc("What the operator last saw and did.")] = ClusterStatus()


class ClusterPackageVersionSpec(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True, kw_only=True):
    """A set of component versions with their parameters; immutable as a whole."""

    kubernetes_version: Annotated[
        str,
        doc(
            "The Kubernetes version that clusters made of this serve, such as v1.35.4.",
            maxLength=63,
            pattern=r"^v[0-9]+\.[0-9]+\.[0-9]+([-+][0-9A-Za-z.+-]+)?$",
        ),
    ]
    components: Annotated[
        tuple[PackageComponent, ...],
        doc(
            "The master components: etcd, kube-apiserver, kube-controller-manager and kube-scheduler, and any number of"
            " hosted operators beside them.",
            *PACKAGE_COMPLETE,
            DEPENDENCIES_KNOWN,
            minItems=1,
            maxItems=16,
            list_map_keys=["name"],
        ),
    ]

    rules: ClassVar[tuple[Rule, ...]] = (PACKAGE_VERSION_MATCHES,)

    @property
    def hosted(self) -> tuple[str, ...]:
        """The names of the hosted operators."""
        return tuple(component.name for component in self.components if component.hosted is not None)

    def component(self, name: str) -> PackageComponent | None:
        """The component of a name, if the package has it."""
        return next((component for component in self.components if component.name == name), None)


class ClusterPackageVersion(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True, kw_only=True):
    """An immutable, named set of master component versions with their parameters."""

    metadata: ObjectMeta
    spec: Annotated[
        ClusterPackageVersionSpec,
        doc(
            "Which components, in which versions and with which parameters. Immutable.",
            Rule(
                rule="self == oldSelf",
                message="a package version cannot be changed, clusters rely on it; create one with another name",
            ),
        ),
    ]


CLUSTER = Kind(Resource(GROUP, VERSION, "Cluster", "clusters"), Cluster)
CLUSTER_PACKAGE_VERSION = Kind(
    Resource(GROUP, VERSION, "ClusterPackageVersion", "clusterpackageversions", namespaced=False),
    ClusterPackageVersion,
)

_READY = '.status.conditions[?(@.type=="Ready")]'

CLUSTER_DEFINITION = Definition(
    description="One business cluster, whose masters run as Pods in the namespace of this object.",
    short_names=("hc",),
    rules=CLUSTER_NAME,
    name_pattern="^[a-z]([-a-z0-9]*[a-z0-9])?$",  # of a Service, because Services are named after the Cluster
    columns=(
        Column("Ready", f"{_READY}.status", "Whether the cluster is in its declared state"),
        Column("Phase", ".status.phase", "The conditions in one word"),
        Column("Version", ".status.kubernetesVersion", "The Kubernetes version that is served"),
        Column("Package", ".spec.packageVersion", "The package version that is declared"),
        Column("Endpoint", ".status.endpoint.host", "The address of the API server"),
        Column("Age", ".metadata.creationTimestamp", "Time since creation", "date"),
        Column("Backup", ".status.backup.last.takenAt", "Time since the last snapshot", "date", priority=1),
        Column("Topology", ".status.topology.complete", "How many masters there are", priority=1),
        Column("Reason", f"{_READY}.reason", "Why the cluster is Ready or not", priority=1),
        Column("Message", f"{_READY}.message", "The same in a sentence", priority=1),
    ),
)
CLUSTER_PACKAGE_VERSION_DEFINITION = Definition(
    description="An immutable, named set of master component versions with their parameters.",
    short_names=("cpv",),
    has_status=False,
    columns=(
        Column("Kubernetes", ".spec.kubernetesVersion", "The Kubernetes version"),
        Column("Etcd", '.spec.components[?(@.name=="etcd")].version', "The version of etcd"),
        Column("Age", ".metadata.creationTimestamp", "Time since creation", "date"),
    ),
)
