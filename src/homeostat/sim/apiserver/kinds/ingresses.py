"""Ingresses: how requests from outside find Services. They are kept; no request is answered here."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Iterator

from homeostat.sim.apiserver.kinds.pods.judging import port_name_faults
from homeostat.sim.apiserver.refusing import Cause
from homeostat.sim.apiserver.schemas.causes import at_index, child, invalid, not_supported, required
from homeostat.sim.apiserver.schemas.rfc import dns_1035_label_faults, dns_subdomain_faults, wildcard_faults
from homeostat.sim.apiserver.types.metadata import segment_faults
from homeostat.sim.apiserver.types.type import Strategy, Value

CLASS = "kubernetes.io/ingress.class"
_TYPES = ("Exact", "ImplementationSpecific", "Prefix")
_ABSOLUTE = "must be an absolute path"
_NOT_WITHIN, _NOT_AT_THE_END = ("//", "/./", "/../", "%2f", "%2F"), ("/..", "/.")
_NO_ADDRESS = "must be a DNS name, not an IP address"
_PORT = "must be between 1 and 65535, inclusive"
_IP = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"


class IngressStrategy(Strategy):
    """Judged as networking.k8s.io/v1 judges new ones."""

    def on_create(self, value: Value) -> None:
        """Nobody balances it yet."""
        value["status"] = {"loadBalancer": {}}

    def causes(self, value: Value, old: Value | None) -> Iterable[Cause]:
        """Of its rules; of its class where it is said in the old way too."""
        spec = value.get("spec", {})
        yield from _of_spec(spec)
        said = (value["metadata"].get("annotations") or {}).get(CLASS)
        name = spec.get("ingressClassName")
        if old is None and said is not None and name is not None and said != name:
            text = "must match `ingressClassName` when both are specified"
            yield invalid(f"annotations.{CLASS}", said, text)

    def below(self, subresource: str) -> Strategy:
        """Its status is judged by itself."""
        return _Status() if subresource == "status" else self


class _Status(IngressStrategy):
    def causes(self, value: Value, old: Value | None) -> Iterable[Cause]:  # noqa: ARG002
        """Of the addresses at which it is reached."""
        balancer = value.get("status", {}).get("loadBalancer") or {}
        for index, each in enumerate(balancer.get("ingress") or ()):
            place = at_index("status.loadBalancer.ingress", index)
            if each.get("ip") and not _is_address(each["ip"]):
                yield invalid(child(place, "ip"), each["ip"], _IP)
            name = each.get("hostname", "")
            for fault in dns_subdomain_faults(name) if name else ():
                yield invalid(child(place, "hostname"), name, fault)
            if name and _is_address(name):
                yield invalid(child(place, "hostname"), name, _NO_ADDRESS)


def _of_spec(spec: Value) -> Iterator[Cause]:
    rules, backend, name = spec.get("rules"), spec.get("defaultBackend"), spec.get("ingressClassName")
    if not rules and backend is None:
        yield invalid("spec", rules, "either `defaultBackend` or `rules` must be specified")
    if backend is not None:
        yield from _of_backend(backend, "spec.defaultBackend")
    for index, rule in enumerate(rules or ()):
        yield from _of_rule(rule, at_index("spec.rules", index))
    for index, each in enumerate(spec.get("tls") or ()):
        yield from _of_tls(each, at_index("spec.tls", index))
    for fault in dns_subdomain_faults(name) if name is not None else ():
        yield invalid("spec.ingressClassName", name, fault)


def _of_rule(rule: Value, path: str) -> Iterator[Cause]:
    host = rule.get("host", "")
    if host and _is_address(host):
        yield invalid(child(path, "host"), host, _NO_ADDRESS)
    for fault in _faults_of_host(host)(host) if host else ():
        yield invalid(child(path, "host"), host, fault)
    http = rule.get("http")
    if http is None:
        return
    place = child(child(path, "http"), "paths")
    if not http.get("paths"):
        yield required(place)
    for index, each in enumerate(http.get("paths") or ()):
        yield from _of_path(each, at_index(place, index))


def _of_path(value: Value, path: str) -> Iterator[Cause]:
    kind, told, place = value.get("pathType"), value.get("path", ""), child(path, "path")
    if kind is None:
        yield required(child(path, "pathType"), "pathType must be specified")
        return
    if kind not in _TYPES:
        yield not_supported(child(path, "pathType"), kind, _TYPES)
    elif not told.startswith("/") and (told or kind != "ImplementationSpecific"):
        yield invalid(place, told, _ABSOLUTE)
    if kind in ("Exact", "Prefix"):
        yield from (invalid(place, told, f"must not contain '{each}'") for each in _NOT_WITHIN if each in told)
        for each in _NOT_AT_THE_END:
            if told.endswith(each):
                yield invalid(place, told, f"cannot end with '{each}'")
    yield from _of_backend(value.get("backend") or {}, child(path, "backend"))


def _of_backend(backend: Value, path: str) -> Iterator[Cause]:
    resource, service = backend.get("resource"), backend.get("service")
    if resource is not None and service is not None:
        yield invalid(path, "", "cannot set both resource and service backends")
    elif resource is not None:
        yield from reference_causes(resource, child(path, "resource"))
    elif service is not None:
        yield from _of_service(service, path)
    else:
        yield invalid(path, "", "resource or service backend is required")


def _of_service(service: Value, path: str) -> Iterator[Cause]:
    place, name, port = child(path, "service"), service.get("name", ""), service.get("port") or {}
    if not name:
        yield required(child(place, "name"))
    for fault in dns_1035_label_faults(name) if name else ():
        yield invalid(child(place, "name"), name, fault)
    title, number = port.get("name", ""), port.get("number", 0)
    if title and number:
        yield invalid(path, "", "cannot set both port name & port number")
    elif title:
        for fault in port_name_faults(title):
            yield invalid(child(child(place, "port"), "name"), title, fault)
    elif not number:
        yield required(path, "port name or number is required")
    elif not 1 <= number <= 65535:
        yield invalid(child(child(place, "port"), "number"), number, _PORT)


def reference_causes(reference: Value, path: str) -> Iterator[Cause]:
    """Of what names an object of any kind in the same namespace."""
    group = reference.get("apiGroup")
    for fault in dns_subdomain_faults(group) if group is not None else ():
        yield invalid(child(path, "apiGroup"), group, fault)
    for name in ("kind", "name"):
        told = reference.get(name, "")
        if not told:
            yield required(child(path, name))
        yield from (invalid(child(path, name), told, fault) for fault in segment_faults(told))


def _of_tls(value: Value, path: str) -> Iterator[Cause]:
    for index, host in enumerate(value.get("hosts") or ()):
        for fault in _faults_of_host(host)(host):
            yield invalid(at_index(child(path, "hosts"), index), host, fault)
    secret = value.get("secretName", "")
    for fault in dns_subdomain_faults(secret) if secret else ():
        yield invalid(child(path, "secretName"), secret, fault)


def _faults_of_host(host: str) -> Callable[[str], list[str]]:
    return wildcard_faults if "*" in host else dns_subdomain_faults


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
