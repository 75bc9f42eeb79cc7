"""`homeostat up` as steps: from a bare machine to a cell that runs homeostat's operator.

Everything that does not need one another runs at once: binaries, the hosts' base and the network first; then the hosts,
each on its own; control plane, then all joins; add-ons, definitions and the operator while Nodes become Ready.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from typing import Any

from homeostat.kit.files import write_private
from homeostat.kube.client import Client
from homeostat.local.balancer.haproxy import render
from homeostat.local.datacentre import COREDNS_VERSION, LOCAL_PATH_VERSION, DataCentre
from homeostat.local.ground import Ground
from homeostat.local.manifests import Manifests, marked
from homeostat.local.meta import applying, balancer, coredns, forming, pace, snapshots, units, waiting
from homeostat.local.meta.kubeadm import init_configuration, join_configuration
from homeostat.local.plan import Place
from homeostat.local.steps import Report, Step
from homeostat.local.storage import manifests as storage

REPOSITORY = "homeostat.local"


class Raising:
    """The steps of one data centre."""

    def __init__(self, centre: DataCentre, ground: Ground, manifests: Manifests) -> None:
        self._centre, self._ground, self._manifests = centre, ground, manifests

    def steps(self) -> tuple[Step, ...]:
        """All of them."""
        return (*self._ground_steps(), *self._cell_steps(), *self._content_steps())

    def _ground_steps(self) -> tuple[Step, ...]:
        ground = self._ground
        hosts = (
            Step(
                f"host {place.name}",
                functools.partial(self._host, place),
                needs=("images", "network"),
                log=f"host/{place.name}",
                remedy="run `homeostat up` again: hosts that run are kept",
            )
            for place in self._centre.plan.places
        )
        return (
            Step("machine", ground.check, remedy="`homeostat doctor` shows all checks with their remedies"),
            Step(
                "binaries",
                ground.binaries,
                ("machine",),
                "up",
                "free disk, or name a directory in HOMEOSTAT_BINARIES_DIR",
            ),
            Step("base of hosts", ground.base, ("machine",), "up", "is the Debian mirror of this machine reachable?"),
            Step("images", ground.images, ("binaries", "base of hosts"), "up"),
            Step("network", ground.network, ("machine",), remedy="`homeostat down` clears what is half made"),
            *hosts,
        )

    def _cell_steps(self) -> tuple[Step, ...]:
        control = self._centre.plan.control
        again = "run `homeostat up` again; a half-formed host is reset and formed anew"
        joins = (
            Step(
                f"join {place.name}",
                functools.partial(self._join, place),
                needs=("control plane", f"host {place.name}"),
                log=f"kubeadm@{place.name}",
                remedy=again,
            )
            for place in self._centre.plan.meta
        )
        return (
            Step(
                "control plane",
                self._control_plane,
                needs=(f"host {control.name}",),
                log=f"kubeadm@{control.name}",
                remedy=again,
            ),
            *joins,
        )

    def _content_steps(self) -> tuple[Step, ...]:
        joined = tuple(f"join {place.name}" for place in self._centre.plan.meta)
        return (
            Step("definitions", self._with_client(self._definitions), ("control plane",), "apiserver"),
            Step("cluster DNS", self._with_client(self._dns), joined, "dns"),
            Step("volumes", self._with_client(self._volumes), ("control plane",), "volumes"),
            Step("load balancer", self._with_client(self._balancer), ("control plane",), "balancer"),
            Step("nodes", self._with_client(self._nodes), joined, "kubelet@" + self._centre.plan.control.name),
            Step("package versions", self._with_client(self._packages), ("definitions",), "apiserver"),
            *self._operator_steps(),
        )

    def _operator_steps(self) -> tuple[Step, ...]:
        if not self._manifests.has_operator:
            return ()
        return (Step("operator", self._with_client(self._operator), ("definitions", "cluster DNS"), "operator"),)

    def _with_client(self, work: Callable[[Client, Report], Awaitable[None]]) -> Callable[[Report], Awaitable[None]]:
        async def run(report: Report) -> None:
            async with self._centre.client() as client:
                await work(client, report)

        return run

    async def _host(self, place: Place, report: Report) -> None:
        host = await self._ground.host(place, report)
        report.update("laying down units")
        await forming.lay_down(host, "node", _files_of_node(place, self._centre.plan.pod_range), _ENABLE)
        if place == self._centre.plan.control:
            await forming.lay_down(host, "control", _files_of_control(self._centre.plan.vip_pool), _ENABLE_CONTROL)

    async def _control_plane(self, report: Report) -> None:
        centre = self._centre
        control = self._ground.shell(centre.plan.control.name)
        report.update("kubeadm init")
        await forming.initialise(control, init_configuration(centre.cell))
        centre.kubeconfig.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_private(centre.kubeconfig, await forming.admin_kubeconfig(control))
        async with centre.client() as client:
            await waiting.wait_for_api(client, report)
        await forming.start_proxy(control, await forming.proxy_kubeconfig(control))

    async def _join(self, place: Place, report: Report) -> None:
        centre = self._centre
        control, host = self._ground.shell(centre.plan.control.name), self._ground.shell(place.name)
        if not await forming.is_formed(host):
            report.update("kubeadm join")
            async with centre.client() as client:
                await forming.forget_node(client, place.name)
            pin = await forming.ca_hash(control)
            configuration = join_configuration(
                centre.cell, name=place.name, address=place.address, zone=place.zone, ca_hash=pin
            )
            await forming.join(host, configuration)
        await forming.start_proxy(host, await forming.proxy_kubeconfig(control))

    async def _nodes(self, client: Client, report: Report) -> None:
        await waiting.wait_for_nodes(client, [place.name for place in self._centre.plan.places], report)

    async def _dns(self, client: Client, report: Report) -> None:
        image = f"{REPOSITORY}/coredns:{COREDNS_VERSION}"
        await self._run(client, coredns.manifests(address=self._centre.plan.dns, image=image), report)

    async def _volumes(self, client: Client, report: Report) -> None:
        image = f"{REPOSITORY}/local-path-provisioner:{LOCAL_PATH_VERSION}"
        await self._run(client, storage.manifests(image=image, helper_image=self._manifests.image), report)

    async def _balancer(self, client: Client, report: Report) -> None:
        plan = self._centre.plan
        objects = balancer.manifests(image=self._manifests.image, pool=plan.vip_pool, api_address=plan.control.address)
        await self._run(client, [marked(one, self._ground.image_key) for one in objects], report)

    async def _definitions(self, client: Client, report: Report) -> None:
        objects = self._manifests.definitions()
        await applying.apply(client, objects)
        names = [one["metadata"]["name"] for one in objects if one["kind"] == "CustomResourceDefinition"]
        report.update("waiting until they are served")
        await applying.wait_until_served(client, names)

    async def _operator(self, client: Client, report: Report) -> None:
        centre = self._centre
        keys = snapshots.ensure_keys(centre.snapshot_keys, centre.clock.now().date())
        given = self._manifests.operator(self._ground.image_key)
        objects = [pace.with_pace(snapshots.with_store(one), self._ground.processors) for one in given]
        await self._run(client, (*objects, *snapshots.manifests(keys)), report)

    async def _run(self, client: Client, objects: Collection[Mapping[str, Any]], report: Report) -> None:
        """Have these objects, until their Deployments are complete and their Services take connections."""
        await applying.apply(client, objects)
        await waiting.wait_for_deployments(client, _names(objects, "Deployment"), report)
        control = self._ground.shell(self._centre.plan.control.name)
        await waiting.wait_for_services(client, control, _names(objects, "Service"), report)

    async def _packages(self, client: Client, _report: Report) -> None:
        await applying.apply(client, self._manifests.package_versions())


def _names(objects: Iterable[Mapping[str, Any]], kind: str) -> list[str]:
    """Those of a kind, as namespace/name."""
    wanted = (one["metadata"] for one in objects if one["kind"] == kind)
    return [f"{meta.get('namespace', 'default')}/{meta['name']}" for meta in wanted]


_ENABLE = "systemctl daemon-reload && systemctl enable --quiet kubelet.service kube-proxy.service"
_ENABLE_CONTROL = (
    "systemctl daemon-reload && systemctl enable --quiet --now homeostat-vips.service homeostat-haproxy.path"
    " && systemctl restart homeostat-haproxy.path"  # it may be one of an older homeostat's that is running
    " && test -s /etc/haproxy/haproxy.cfg && systemctl enable --quiet haproxy.service"
    " && systemctl restart haproxy.service"
)


def _files_of_node(place: Place, pod_range: str) -> dict[str, str]:
    units_dir = "/etc/systemd/system"
    return {
        f"{units_dir}/kubelet.service": units.kubelet_unit(),
        f"{units_dir}/kube-proxy.service": units.proxy_unit(place.name),
        units.PROXY_CONFIG: units.proxy_configuration(pod_range),
    }


def _files_of_control(pool: str) -> dict[str, str]:
    units_dir = "/etc/systemd/system"
    watchers = {f"{units_dir}/{name}": text for name, text in units.haproxy_watch_units().items()}
    # The first file of HAProxy serves nobody; the balancer replaces it with what Services want.
    return {f"{units_dir}/{units.VIP_UNIT}": units.vips_unit(pool), "/etc/haproxy/haproxy.cfg": render(()), **watchers}
