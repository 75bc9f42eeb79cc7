"""All controllers that a simulated cluster has."""

from __future__ import annotations

from homeostat.kube.client import Client
from homeostat.runtime.manager import Manager
from homeostat.sim.world.controllers.accounts import add_service_accounts
from homeostat.sim.world.controllers.budgets import add_disruption_budgets
from homeostat.sim.world.controllers.cronjobs.controller import add_cron_jobs
from homeostat.sim.world.controllers.daemonsets.controller import add_daemon_sets
from homeostat.sim.world.controllers.deployments.controller import add_deployments
from homeostat.sim.world.controllers.endpoints.controller import add_endpoint_slices
from homeostat.sim.world.controllers.garbage.collector import add_garbage_collector
from homeostat.sim.world.controllers.jobs.controller import add_jobs
from homeostat.sim.world.controllers.namespaces import add_namespaces
from homeostat.sim.world.controllers.nodes.eviction import add_taint_eviction
from homeostat.sim.world.controllers.nodes.leftovers import add_pod_garbage_collector
from homeostat.sim.world.controllers.nodes.lifecycle import add_node_lifecycle
from homeostat.sim.world.controllers.quotas.controller import add_quotas
from homeostat.sim.world.controllers.replicasets.controller import add_replica_sets, add_replication_controllers
from homeostat.sim.world.controllers.statefulsets.controller import add_stateful_sets
from homeostat.sim.world.controllers.volumes.controller import add_volume_binder
from homeostat.sim.world.controllers.volumes.protection import add_volume_protection


def add_controllers(manager: Manager, client: Client) -> None:
    """Let all of them work in this manager, as the user of this client."""
    for add in (
        *(add_replica_sets, add_replication_controllers, add_deployments, add_stateful_sets, add_daemon_sets),
        *(add_jobs, add_cron_jobs),
        *(add_garbage_collector, add_namespaces, add_service_accounts, add_quotas),
        *(add_endpoint_slices, add_disruption_budgets),
        *(add_volume_binder, add_volume_protection),
        *(add_node_lifecycle, add_taint_eviction, add_pod_garbage_collector),
    ):
        add(manager, client)
