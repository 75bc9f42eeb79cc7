"""Which built-in types are imitated, and what each does with its objects."""

from __future__ import annotations

from homeostat.kit.clock import Clock
from homeostat.sim.apiserver.kinds.budgets import BudgetStrategy, PriorityClassStrategy
from homeostat.sim.apiserver.kinds.claims import ClaimStrategy
from homeostat.sim.apiserver.kinds.definitions import DefinitionStrategy
from homeostat.sim.apiserver.kinds.maps import ConfigMapStrategy, SecretStrategy
from homeostat.sim.apiserver.kinds.namespaces import NamespaceStrategy
from homeostat.sim.apiserver.kinds.pods.strategy import PodStrategy
from homeostat.sim.apiserver.kinds.services import ServiceStrategy
from homeostat.sim.apiserver.kinds.workloads import (
    DaemonSetStrategy,
    DeploymentStrategy,
    ReplicaSetStrategy,
    StatefulSetStrategy,
)
from homeostat.sim.apiserver.store.store import Collection, Store
from homeostat.sim.apiserver.types.registry import Types
from homeostat.sim.apiserver.types.type import Strategy


def strategies(types: Types, store: Store, clock: Clock) -> dict[Collection, Strategy]:
    """The strategies of one server's types."""
    return {
        ("", "configmaps"): ConfigMapStrategy(),
        ("", "persistentvolumeclaims"): ClaimStrategy(),
        ("", "secrets"): SecretStrategy(),
        ("", "namespaces"): NamespaceStrategy(),
        ("", "pods"): PodStrategy(store),
        ("", "serviceaccounts"): Strategy(),
        ("", "services"): ServiceStrategy(),
        ("apps", "daemonsets"): DaemonSetStrategy(),
        ("apps", "deployments"): DeploymentStrategy(),
        ("apps", "replicasets"): ReplicaSetStrategy(),
        ("apps", "statefulsets"): StatefulSetStrategy(),
        ("coordination.k8s.io", "leases"): Strategy(),
        ("policy", "poddisruptionbudgets"): BudgetStrategy(),
        ("scheduling.k8s.io", "priorityclasses"): PriorityClassStrategy(),
        ("apiextensions.k8s.io", "customresourcedefinitions"): DefinitionStrategy(types, store, clock),
    }
