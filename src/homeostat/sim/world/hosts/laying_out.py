"""Lays out a data centre from a few numbers: names, addresses, racks, switches, models and kernels of all hosts.

Hosts have 172.16.0.0/12, their Pods 100.64.0.0/10; everything else is left to Services and balancers. Models and
kernels are dealt out by the place of a host, so that what hosts have in common can be told from chance.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

from msgspec import Struct

from homeostat.sim.world.hosts.datacentre import MOST_HOSTS
from homeostat.sim.world.hosts.host import HostPlan

_HOSTS, _PODS = IPv4Network("172.16.0.0/12"), IPv4Network("100.64.0.0/10")


class Model(Struct, frozen=True):
    """A kind of hardware."""

    name: str
    cpus: int
    memory_gib: int
    disk_gib: int


SMALL, LARGE = Model("standard-1", 16, 64, 500), Model("standard-2", 64, 256, 2000)


class Layout(Struct, frozen=True, kw_only=True):
    """What hosts are dealt out to."""

    region: str = "region-1"
    zones: tuple[str, ...] = ("a", "b", "c")
    rack_size: int = 20
    models: tuple[Model, ...] = (SMALL,)
    kernels: tuple[str, ...] = ("6.12.0-1",)
    prefix: str = "host"
    pods: int = 110  # that a host takes


def lay_out(hosts: int, layout: Layout = Layout()) -> tuple[HostPlan, ...]:  # noqa: B008  (a frozen value)
    """So many hosts, dealt out to the zones in turn. Raises ValueError when there are too many."""
    if not 0 <= hosts <= MOST_HOSTS:
        raise ValueError(f"hosts: expected 0 to {MOST_HOSTS}, found {hosts}")
    return tuple(_plan(number, layout) for number in range(hosts))


def _plan(number: int, layout: Layout) -> HostPlan:
    zone, place = layout.zones[number % len(layout.zones)], number // len(layout.zones)
    rack, in_rack = divmod(place, layout.rack_size)
    model = layout.models[rack % len(layout.models)]
    # Two switches a rack: every second place hangs at the other one.
    return HostPlan(
        name=f"{layout.prefix}-{zone}{place + 1}",
        region=layout.region,
        zone=zone,
        rack=f"{zone}-r{rack + 1}",
        switch=f"{zone}-r{rack + 1}-s{in_rack % 2 + 1}",
        model=model.name,
        kernel=layout.kernels[place % len(layout.kernels)],
        address=str(IPv4Address(int(_HOSTS.network_address) + 256 + number)),
        pod_range=str(IPv4Network((int(_PODS.network_address) + number * 256, 24))),
        cpus=model.cpus,
        memory_gib=model.memory_gib,
        disk_gib=model.disk_gib,
        pods=layout.pods,
    )
