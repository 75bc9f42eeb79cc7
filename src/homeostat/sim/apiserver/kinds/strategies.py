"""Which built-in types are imitated, and what each does with its objects."""

from __future__ import annotations

from homeostat.kit.clock import Clock
from homeostat.kit.random import Random
from homeostat.sim.apiserver.access.reviews import REVIEWS, Reviewed
from homeostat.sim.apiserver.access.roles import Roles
from homeostat.sim.apiserver.admission import admission
from homeostat.sim.apiserver.kinds import addresses, classes, drivers, flows, ingresses, rights
from homeostat.sim.apiserver.kinds.budgets import BudgetStrategy, PriorityClassStrategy
from homeostat.sim.apiserver.kinds.certificates import requests, signers
from homeostat.sim.apiserver.kinds.claims import ClaimStrategy
from homeostat.sim.apiserver.kinds.cronjobs import CronJobStrategy
from homeostat.sim.apiserver.kinds.definitions import DefinitionStrategy
from homeostat.sim.apiserver.kinds.events import NEW, OLD, EventStrategy
from homeostat.sim.apiserver.kinds.holdings import Holdings
from homeostat.sim.apiserver.kinds.jobs import JobStrategy
from homeostat.sim.apiserver.kinds.leases import LeaseStrategy
from homeostat.sim.apiserver.kinds.maps import ConfigMapStrategy, SecretStrategy
from homeostat.sim.apiserver.kinds.namespaces import NamespaceStrategy
from homeostat.sim.apiserver.kinds.networks import EndpointSliceStrategy, EndpointsStrategy, NetworkPolicyStrategy
from homeostat.sim.apiserver.kinds.nodes import NodeStrategy
from homeostat.sim.apiserver.kinds.pods.strategy import PodStrategy
from homeostat.sim.apiserver.kinds.policies import BindingStrategy, PolicyStrategy
from homeostat.sim.apiserver.kinds.quotas import QuotaStrategy
from homeostat.sim.apiserver.kinds.ranges import RangeStrategy
from homeostat.sim.apiserver.kinds.replication import ReplicationControllerStrategy
from homeostat.sim.apiserver.kinds.services import ServiceStrategy
from homeostat.sim.apiserver.kinds.volumes import ClassStrategy, VolumeStrategy
from homeostat.sim.apiserver.kinds.webhooks import WebhookStrategy
from homeostat.sim.apiserver.kinds.workloads import (
    DaemonSetStrategy,
    DeploymentStrategy,
    PodTemplateStrategy,
    ReplicaSetStrategy,
    RevisionStrategy,
    StatefulSetStrategy,
)
from homeostat.sim.apiserver.store.store import Collection, Store
from homeostat.sim.apiserver.types.registry import Types
from homeostat.sim.apiserver.types.type import Strategy


def strategies(types: Types, store: Store, clock: Clock, random: Random, roles: Roles) -> dict[Collection, Strategy]:
    """The strategies of one server's types."""
    return {
        **dict.fromkeys(REVIEWS, Reviewed()),
        ("", "configmaps"): ConfigMapStrategy(),
        ("", "persistentvolumeclaims"): ClaimStrategy(store),
        ("", "secrets"): SecretStrategy(),
        ("", "endpoints"): EndpointsStrategy(),
        OLD: EventStrategy(store, OLD),
        ("", "namespaces"): NamespaceStrategy(),
        ("", "nodes"): NodeStrategy(),
        ("", "persistentvolumes"): VolumeStrategy(clock),
        ("", "pods"): PodStrategy(store),
        ("", "podtemplates"): PodTemplateStrategy(),
        admission.QUOTAS: QuotaStrategy(),
        admission.RANGES: RangeStrategy(),
        ("", "replicationcontrollers"): ReplicationControllerStrategy(),
        ("", "serviceaccounts"): rights.AccountStrategy(),
        ("", "services"): ServiceStrategy(store, Holdings(store, clock, random)),
        ("apps", "controllerrevisions"): RevisionStrategy(),
        ("apps", "daemonsets"): DaemonSetStrategy(),
        ("apps", "deployments"): DeploymentStrategy(),
        ("apps", "replicasets"): ReplicaSetStrategy(),
        ("apps", "statefulsets"): StatefulSetStrategy(),
        (signers.GROUP, signers.PLURAL): requests.RequestStrategy(roles, clock),
        ("coordination.k8s.io", "leases"): LeaseStrategy(),
        admission.MUTATING: WebhookStrategy(is_mutating=True),
        admission.VALIDATING: WebhookStrategy(is_mutating=False),
        admission.POLICIES: PolicyStrategy(),
        admission.BINDINGS: BindingStrategy(),
        ("batch", "cronjobs"): CronJobStrategy(),
        ("batch", "jobs"): JobStrategy(),
        ("discovery.k8s.io", "endpointslices"): EndpointSliceStrategy(),
        (flows.GROUP, "flowschemas"): flows.FlowSchemaStrategy(),
        (flows.GROUP, "prioritylevelconfigurations"): flows.PriorityLevelStrategy(),
        NEW: EventStrategy(store, NEW),
        ("networking.k8s.io", "ingressclasses"): classes.IngressClassStrategy(),
        ("networking.k8s.io", "ingresses"): ingresses.IngressStrategy(),
        (addresses.GROUP, "ipaddresses"): addresses.AddressStrategy(),
        (addresses.GROUP, "servicecidrs"): addresses.RangeStrategy(),
        ("node.k8s.io", "runtimeclasses"): classes.RuntimeClassStrategy(),
        ("storage.k8s.io", "csidrivers"): drivers.DriverStrategy(),
        ("storage.k8s.io", "csinodes"): drivers.HostDriversStrategy(),
        ("storage.k8s.io", "csistoragecapacities"): classes.CapacityStrategy(),
        ("storage.k8s.io", "volumeattachments"): classes.AttachmentStrategy(),
        ("networking.k8s.io", "networkpolicies"): NetworkPolicyStrategy(),
        ("policy", "poddisruptionbudgets"): BudgetStrategy(),
        (rights.GROUP, "clusterrolebindings"): rights.BindingStrategy(namespaced=False),
        (rights.GROUP, "clusterroles"): rights.RoleStrategy(namespaced=False),
        (rights.GROUP, "rolebindings"): rights.BindingStrategy(namespaced=True),
        (rights.GROUP, "roles"): rights.RoleStrategy(namespaced=True),
        ("storage.k8s.io", "storageclasses"): ClassStrategy(),
        ("scheduling.k8s.io", "priorityclasses"): PriorityClassStrategy(),
        ("apiextensions.k8s.io", "customresourcedefinitions"): DefinitionStrategy(types, store, clock),
    }
