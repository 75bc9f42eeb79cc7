"""The wires of a data centre: a bridge, routes, a blackhole, and rules in a chain of their own.

`up` may be repeated at any time and after any kill; `down` removes all of it and nothing else. The root namespace is
the router. Two data centres do not reach one another: what comes from one bridge and would leave by another is dropped.
"""

from __future__ import annotations

import re
from pathlib import Path

from homeostat.kit.clock import Clock
from homeostat.local.command import run
from homeostat.local.plan import NetworkPlan

# kubelet, containerd and systemd of every host share the machine's inotify limits; 128 instances last for one host.
_AT_LEAST = {"fs/inotify/max_user_instances": 8192, "fs/inotify/max_user_watches": 1_000_000}
# A host that lost power must be noticed in about a second, not in the default half minute.
_NEIGHBOURS = {
    "base_reachable_time_ms": 1000,
    "delay_first_probe_time": 1,
    "retrans_time_ms": 300,
    "ucast_solicit": 2,
    "mcast_solicit": 2,
}
_PROC = Path("/proc/sys")


class Network:
    """The network of one data centre, in the root namespace of this machine."""

    def __init__(self, plan: NetworkPlan, *, clock: Clock) -> None:
        self._plan = plan
        self._clock = clock

    async def up(self) -> None:
        """Make what is missing."""
        self._raise_limits()
        await self._bridge()
        await self._routes()
        await self._rules()

    async def down(self) -> None:
        """Remove the bridge, its routes and rules; the machine's raised limits stay, they hurt nobody."""
        plan = self._plan
        await self._unrule()
        await self._ip("link", "del", plan.bridge, check=False)
        for destination in (plan.range, plan.vip_pool, *(place.pod_cidr for place in plan.places)):
            await self._ip("route", "flush", "exact", destination, check=False)
        await self._ip("route", "flush", "type", "blackhole", "exact", plan.range, check=False)

    async def leftovers(self) -> tuple[str, ...]:
        """What of this data centre's network still stands, a line each."""
        plan = self._plan
        found = []
        links = (await self._ip("-o", "link", "show")).splitlines()
        found += [f"link {line.split(':')[1].strip()}" for line in links if _belongs(line, plan)]
        prefix = plan.range.split(".0.0/")[0] + "."
        routes = (await self._ip("route", "show", "table", "all")).splitlines()
        found += [f"route {line.strip()}" for line in routes if re.search(rf"(^|\s){re.escape(prefix)}", line)]
        for table in ("filter", "nat"):
            rules = (await run(("iptables", "-w", "-t", table, "-S"), clock=self._clock)).stdout.splitlines()
            marks = (f" {plan.chain} ", f"-N {plan.chain} ", f" {plan.range} ")
            found += [f"rule {line}" for line in rules if any(mark in f"{line} " for mark in marks)]
        return tuple(found)

    def _raise_limits(self) -> None:
        (_PROC / "net/ipv4/ip_forward").write_text("1")
        for name, least in _AT_LEAST.items():
            file = _PROC / name
            if int(file.read_text()) < least:
                file.write_text(str(least))

    async def _bridge(self) -> None:
        plan = self._plan
        if not (Path("/sys/class/net") / plan.bridge).exists():
            await self._ip("link", "add", plan.bridge, "type", "bridge")
        await self._ip("addr", "replace", f"{plan.gateway}/{plan.prefix}", "dev", plan.bridge)
        await self._ip("link", "set", plan.bridge, "up")
        for name, value in _NEIGHBOURS.items():
            (_PROC / "net/ipv4/neigh" / plan.bridge / name).write_text(str(value))

    async def _routes(self) -> None:
        plan = self._plan
        await self._ip("route", "replace", "blackhole", plan.range)
        for route in plan.routes():
            await self._ip("route", "replace", route.destination, "via", route.via, "dev", plan.bridge)

    async def _rules(self) -> None:
        plan = self._plan
        await self._iptables("filter", "-N", plan.chain, check=False)
        rules = (
            ("-i", plan.bridge, "-o", plan.bridge, "-j", "ACCEPT"),
            ("-i", "hsbr+", "-o", "hsbr+", "-j", "DROP"),
            ("-j", "ACCEPT"),
        )
        for rule in rules:
            await self._append("filter", plan.chain, rule)
        for direction in ("-i", "-o"):
            await self._append("filter", "FORWARD", (direction, plan.bridge, "-j", plan.chain), first=True)
        await self._append("nat", "POSTROUTING", self._masquerade())

    async def _unrule(self) -> None:
        plan = self._plan
        for direction in ("-i", "-o"):
            await self._remove("filter", "FORWARD", (direction, plan.bridge, "-j", plan.chain))
        await self._iptables("filter", "-F", plan.chain, check=False)
        await self._iptables("filter", "-X", plan.chain, check=False)
        await self._remove("nat", "POSTROUTING", self._masquerade())

    def _masquerade(self) -> tuple[str, ...]:
        return ("-s", self._plan.range, "!", "-d", self._plan.range, "-j", "MASQUERADE")

    async def _append(self, table: str, chain: str, rule: tuple[str, ...], *, first: bool = False) -> None:
        if await self._iptables(table, "-C", chain, *rule, check=False):
            await self._iptables(table, "-I" if first else "-A", chain, *rule)

    async def _remove(self, table: str, chain: str, rule: tuple[str, ...]) -> None:
        while not await self._iptables(table, "-D", chain, *rule, check=False):
            pass

    async def _iptables(self, table: str, *words: str, check: bool = True) -> int:
        return (await run(("iptables", "-w", "-t", table, *words), clock=self._clock, check=check)).code

    async def _ip(self, *words: str, check: bool = True) -> str:
        return (await run(("ip", *words), clock=self._clock, check=check)).stdout


def _belongs(line: str, plan: NetworkPlan) -> bool:
    name = line.split(":")[1].strip().split("@")[0]
    return name == plan.bridge or name.startswith(f"hs{plan.index}-")


async def networks_in_use(clock: Clock) -> tuple[str, ...]:
    """Every IPv4 network that this machine has an address in or a route to, except the default route."""
    routes = (await run(("ip", "-4", "route", "show", "table", "all"), clock=clock)).stdout
    found = re.findall(
        r"\b(\d+\.\d+\.\d+\.\d+(?:/\d+)?)", "\n".join(line.split(" via ")[0] for line in routes.splitlines())
    )
    return tuple(sorted(set(found)))
