"""From Services and EndpointSlices to what is balanced."""

from __future__ import annotations

from homeostat.api.core import Service, ServicePort, ServiceSpec
from homeostat.api.discovery import Endpoint, EndpointConditions, EndpointPort, EndpointSlice, TargetReference
from homeostat.api.meta import ObjectMeta
from homeostat.local.balancer.desired import HEALTH_PATH, frontends, is_ours, wishes
from homeostat.local.balancer.haproxy import Backend


def service(name: str = "web", **spec: object) -> Service:
    fields = {"type": "LoadBalancer", "ports": (ServicePort(port=443, name="https"),), **spec}
    meta = ObjectMeta(name=name, namespace="shop", annotations={HEALTH_PATH: "/readyz"})
    return Service(meta, ServiceSpec(**fields))  # type: ignore[arg-type]


def endpoints(*found: Endpoint) -> EndpointSlice:
    meta = ObjectMeta(name="web-x", namespace="shop", labels={"kubernetes.io/service-name": "web"})
    return EndpointSlice(meta, endpoints=found, ports=(EndpointPort(6443, "https", "TCP"),))


def at(address: str, pod: str, **conditions: bool) -> Endpoint:
    return Endpoint((address,), EndpointConditions(**conditions), target_ref=TargetReference("Pod", pod))


def test_ready_endpoints_become_backends_of_the_services_address() -> None:
    slices = [endpoints(at("10.0.0.2", "web-1", ready=True), at("10.0.0.3", "web-2", ready=False))]
    (one,) = frontends([service()], slices, {"shop/web": "10.100.1.1"})
    assert (one.address, one.port, one.health_path) == ("10.100.1.1", 443, "/readyz")
    assert one.backends == (Backend("10.0.0.2", 6443, "web-1"),)


def test_an_endpoint_of_unknown_state_counts_as_ready_as_the_api_says() -> None:
    (one,) = frontends([service()], [endpoints(at("10.0.0.2", "web-1"))], {"shop/web": "10.100.1.1"})
    assert len(one.backends) == 1


def test_services_without_an_address_are_not_balanced() -> None:
    assert frontends([service()], [], {}) == ()


def test_only_load_balancers_of_no_other_make_are_ours() -> None:
    assert is_ours(service())
    assert is_ours(service(load_balancer_class="homeostat.dev/local"))
    assert not is_ours(service(load_balancer_class="metallb.io/x"))
    assert not is_ours(service(type="ClusterIP"))
    assert [wish.key for wish in wishes([service(), service("other", type="NodePort")])] == ["shop/web"]
