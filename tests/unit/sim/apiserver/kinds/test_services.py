"""Addresses of Services are given once, and again when they are free."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.clock import ManualClock
from tests.support.simulated import client_of, simulated_server

from homeostat.api.kind import Resource, unstructured
from homeostat.kube.client import Client
from homeostat.kube.errors import InternalError
from homeostat.sim.apiserver.kinds import services

SERVICES = unstructured(Resource("", "v1", "Service", "services"))


async def made(client: Client, name: str, **spec: Any) -> str:
    body = {"metadata": {"name": name}, "spec": {"ports": [{"port": 80}], **spec}}
    found = await client.create(SERVICES, body, "default")
    address: str = found["spec"]["clusterIP"]
    return address


async def test_no_two_services_get_one_address_and_a_dry_run_takes_none() -> None:
    clock = ManualClock()
    async with client_of(simulated_server(clock), clock) as client:
        first = await made(client, "a")
        await client.create(
            SERVICES, {"metadata": {"name": "b"}, "spec": {"ports": [{"port": 80}]}}, "default", dry_run=True
        )
        second = await made(client, "b")
        assert first == "10.0.0.2"
        assert second == "10.0.0.3"


async def test_an_address_that_is_free_again_can_be_asked_for() -> None:
    clock = ManualClock()
    async with client_of(simulated_server(clock), clock) as client:
        address = await made(client, "a")
        await client.delete(SERVICES, "a", "default")
        assert await made(client, "b", clusterIP=address) == address


async def test_when_all_ports_of_hosts_are_taken_a_service_that_needs_one_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(services, "_PORTS", range(30000, 30001))
    clock = ManualClock()
    async with client_of(simulated_server(clock), clock) as client:
        await made(client, "a", type="LoadBalancer")
        with pytest.raises(InternalError, match="failed to allocate a nodePort: range is full"):
            await made(client, "b", type="LoadBalancer")
        await made(client, "c", type="LoadBalancer", allocateLoadBalancerNodePorts=False)
