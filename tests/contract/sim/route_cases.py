"""Ingresses, ranges of addresses and addresses: sound ones and wrong ones."""

from __future__ import annotations

from typing import Any

from tests.contract.sim.bodies import Body, of


def ingress(**spec: Any) -> Body:
    return of("Ingress", "networking.k8s.io/v1", spec=spec)


def routed(*paths: Body, host: str = "a.example") -> Body:
    return ingress(rules=[{"host": host, "http": {"paths": list(paths)}}])


def way(path: str = "/", kind: str = "Prefix", **backend: Any) -> Body:
    to = backend or {"service": {"name": "web", "port": {"number": 80}}}
    return {"path": path, "pathType": kind, "backend": to}


def cidrs(*ranges: str) -> Body:
    return of("ServiceCIDR", "networking.k8s.io/v1", name="one", spec={"cidrs": list(ranges)})


def address(name: str = "192.168.7.9", **parent: Any) -> Body:
    whole = {"resource": "services", "namespace": "a", "name": "b"} | parent
    return of("IPAddress", "networking.k8s.io/v1", name=name, spec={"parentRef": whole})


GOOD: dict[str, Body] = {
    "smallest Ingress": ingress(defaultBackend={"service": {"name": "web", "port": {"name": "http"}}}),
    "Ingress with rules": routed(way(), way("/a", "Exact"), way("", "ImplementationSpecific"), host="*.example.com"),
    "Ingress to a resource": routed(way(resource={"kind": "Bucket", "name": "b", "apiGroup": "example.com"})),
    "Ingress with TLS": ingress(
        ingressClassName="one",
        rules=[{"host": "a.example"}],
        tls=[{"hosts": ["a.example", "*.b.example"], "secretName": "tls"}, {}],
    ),
    "smallest ServiceCIDR": cidrs("192.168.0.0/24"),
    "ServiceCIDR of both families": cidrs("2001:db8::/64", "192.168.0.0/24"),
    "smallest IPAddress": address(),
    "IPAddress of the other family": address("2001:db8::7", group="example.com"),
}
WRONG: dict[str, Body] = {
    "empty Ingress": ingress(),
    "Ingress with a wrong host": routed(way(), host="A b"),
    "Ingress with a wrong wildcard": routed(way(), host="*a.example"),
    "Ingress with an address for a host": routed(way(), host="10.0.0.1"),
    "Ingress without paths": ingress(rules=[{"http": {"paths": []}}]),
    "Ingress without a type of path": routed({"path": "/", "backend": way()["backend"]}),
    "Ingress with an unknown type of path": routed(way(kind="Regex")),
    "Ingress with wrong paths": routed(way("a"), way("/a//b/%2f/.."), way("b", "ImplementationSpecific")),
    "Ingress to nobody": routed({"path": "/", "pathType": "Exact", "backend": {}}),
    "Ingress to two": ingress(defaultBackend={"service": {"name": "a"}, "resource": {"kind": "K", "name": "n"}}),
    "Ingress to a wrong Service": ingress(defaultBackend={"service": {"name": "A_b", "port": {}}}),
    "Ingress to a Service without a name": ingress(defaultBackend={"service": {"name": "", "port": {"number": 70000}}}),
    "Ingress to a wrong port": ingress(defaultBackend={"service": {"name": "a", "port": {"name": "-"}}}),
    "Ingress to two ports": ingress(defaultBackend={"service": {"name": "a", "port": {"name": "b", "number": 1}}}),
    "Ingress to a wrong resource": ingress(defaultBackend={"resource": {"apiGroup": "A B", "kind": "", "name": "a/b"}}),
    "Ingress of a wrong class": routed(way()) | {"spec": {"ingressClassName": "A b", "tls": [{"hosts": ["*"]}]}},
    "Ingress with a wrong Secret": ingress(rules=[{"host": "a"}], tls=[{"hosts": ["A b"], "secretName": "A b"}]),
    "Ingress of two classes": of(
        "Ingress",
        "networking.k8s.io/v1",
        metadata={"name": "one", "annotations": {"kubernetes.io/ingress.class": "other"}},
        spec={"ingressClassName": "one", "rules": [{"host": "a"}]},
    ),
    "ServiceCIDR of nothing": cidrs(),
    "ServiceCIDR of three": cidrs("10.0.0.0/24", "10.1.0.0/24", "10.2.0.0/24"),
    "ServiceCIDR of one family twice": cidrs("192.168.0.0/24", "192.168.1.0/24"),
    "ServiceCIDR of no ranges": cidrs("192.168.0.0", "2001:db8::1/64"),
    "IPAddress that is none": address("10.0.0"),
    "IPAddress of nobody": of("IPAddress", "networking.k8s.io/v1", name="192.168.7.9", spec={}),
    "IPAddress of a wrong one": address(group="A b", resource="", name="a/b", namespace=".."),
}
