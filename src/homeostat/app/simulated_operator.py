"""The cluster operator beside a simulated cell.

It is wired as `homeostat run cell` wires it, with the world's ports in the place of those that need a network. Reviews
of what people write come over HTTPS on loopback, as the cell's API server has no other way out of its world.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from homeostat.app.cell import WEBHOOKS
from homeostat.kube.client import Client
from homeostat.operators.cluster.controller import add_cluster_admission, add_cluster_operator, fleet_of
from homeostat.operators.cluster.decide import Policy
from homeostat.operators.cluster.healing.pulse import Pulse
from homeostat.operators.cluster.ports import Outside
from homeostat.operators.cluster.restore.ports import RestoreTools
from homeostat.operators.cluster.snapshots.controller import Means, add_backups
from homeostat.providers.endpoint.granting import BusinessRights
from homeostat.providers.endpoint.probing import EndpointProbe
from homeostat.runtime.manager import Manager, ManagerSettings
from homeostat.runtime.webhook.configuration import ServiceAddress
from homeostat.runtime.webhook.service import Webhooks, WebhookSettings
from homeostat.sim.world.network.dialling import reach_from
from homeostat.sim.world.ports.etcd import Reaching, WorldEtcd
from homeostat.sim.world.ports.snapshots import WorldHandout, WorldSnapshots
from homeostat.sim.world.ports.upkeep import WorldStores
from homeostat.sim.world.world import World

_IMAGE = "homeostat.local/homeostat:simulated"  # of the Pods that carry a snapshot to where it is restored
_SCRATCH = Path("/simulated")  # snapshots of a world have no bytes: a path is but the name of one
_SERVICE = ServiceAddress("homeostat-system", "homeostat-webhooks")  # as deploy/operator names it
_LOOPBACK, _ANY_PORT = "127.0.0.1", 0


def ports_of(world: World, handout: WorldHandout) -> tuple[Outside, Means]:
    """Its ways to what is outside the cell's API server, over the network of a world."""
    clock, random = world.clock, world.random
    reach, reaching = reach_from(world.network, clock), Reaching(world.network, clock)
    outside = Outside(
        probe=EndpointProbe(clock=clock, random=random, reach=reach),
        etcd=WorldEtcd(reaching),
        upkeep=WorldStores(reaching),
        rights=BusinessRights(clock=clock, random=random, reach=reach),
        store=world.snapshots,
        restoring=RestoreTools(world.snapshots, handout, _IMAGE),
    )
    return outside, Means(WorldSnapshots(reaching, world.copies), world.snapshots, _SCRATCH)


def add_operators(
    world: World, manager: Manager, client: Client, handout: WorldHandout, pulse: Pulse | None = None
) -> None:
    """All of `homeostat run cell` but its webhooks.

    Who stands beside the world has no pulse: what an API server in the same process is asked, it answers at once.
    """
    policy = Policy(node_ports=False)  # balancers of a world lead to Pods
    outside, means = ports_of(world, handout)
    fleet = fleet_of(manager, policy) if pulse is None else fleet_of(manager, policy, is_slow=lambda: pulse.is_slow)
    add_cluster_operator(manager, client, outside, policy=policy, fleet=fleet)
    add_backups(manager, client, means, namespaces=("",))


class SimulatedOperator:
    """One process of it, that leads."""

    def __init__(self, world: World, client: Client, name: str) -> None:
        self._manager = Manager(clock=world.clock, random=world.random, settings=ManagerSettings())
        self._webhooks = self._add_webhooks(client)
        self._add_operators(world, client, name)

    async def run(self) -> None:
        """Until cancelled. Raises RuntimeError when it has ended otherwise."""
        await self._manager.run(asyncio.Event())
        raise RuntimeError("the cluster operator has ended")

    def behind(self, namespace: str, name: str, port: int) -> tuple[str, int] | None:
        """Where the Service in front of it would lead; None for another one, or while it does not listen."""
        is_ours = (namespace, name, port) == (_SERVICE.namespace, _SERVICE.name, _SERVICE.port)
        return (_LOOPBACK, self._webhooks.port) if is_ours and self._webhooks.port else None

    def _add_operators(self, world: World, client: Client, name: str) -> None:
        handout = WorldHandout(world.snapshots, world.copies, name)
        add_operators(world, self._manager, client, handout)

    def _add_webhooks(self, client: Client) -> Webhooks:
        settings = WebhookSettings(
            namespace=_SERVICE.namespace,
            secret=_SERVICE.name,
            configuration=WEBHOOKS,
            host=_LOOPBACK,
            port=_ANY_PORT,
            introduced_after_s=0,  # no Service has to follow
            linger_s=0,
        )
        webhooks = Webhooks(client, _SERVICE, settings, self._manager)
        add_cluster_admission(webhooks, self._manager, client)
        self._manager.add_server(webhooks)
        return webhooks
