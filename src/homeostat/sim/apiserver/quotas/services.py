"""Services: one each, with their ports of hosts and their balancers, as far as they are asked for."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from homeostat.sim.apiserver.quotas.amounts import ONE, ZERO, Amount, Amounts
from homeostat.sim.apiserver.quotas.counter import Counter
from homeostat.sim.apiserver.types.type import Value

SERVICES = ("", "services")
_NAMES = ("services", "services.nodeports", "services.loadbalancers")


class ServiceCounter(Counter):
    """Ports are those that will be given, whether they are yet or not."""

    weighs_updates = True

    def __init__(self) -> None:
        super().__init__(SERVICES)

    def tracks(self, name: str) -> bool:
        """Also by kinds of Services."""
        return name in _NAMES or super().tracks(name)

    def used(self, value: Value, now: datetime) -> Amounts:
        """By its type."""
        spec = value.get("spec") or {}
        ports, type_ = spec.get("ports") or (), spec.get("type")
        if type_ == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts") is False:
            ports = [each for each in ports if each.get("nodePort")]
        is_on_hosts = type_ in ("NodePort", "LoadBalancer")
        return super().used(value, now) | {
            "services": ONE,
            "services.nodeports": Amount(Decimal(len(ports))) if is_on_hosts else ZERO,
            "services.loadbalancers": ONE if type_ == "LoadBalancer" else ZERO,
        }
