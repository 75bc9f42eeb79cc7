"""What only tells others of something: classes of Ingresses and of runtimes, free capacity, and volumes at hosts.

Nobody in a simulated cluster acts on them, as in a real one in which no such driver is installed.

Not judged: overhead and tolerations of runtimes; of attachments, volumes told in place, errors and metadata.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from homeostat.sim.apiserver.kinds.names import selector_causes
from homeostat.sim.apiserver.refusing import Cause
from homeostat.sim.apiserver.schemas.causes import InOrder, child, forbidden, invalid, not_supported, required
from homeostat.sim.apiserver.schemas.rfc import dns_label_faults, dns_subdomain_faults
from homeostat.sim.apiserver.types.metadata import IMMUTABLE
from homeostat.sim.apiserver.types.type import Strategy, Value

_CLUSTER, _NAMESPACE = "Cluster", "Namespace"
_PREFIXED = 'must be a domain-prefixed path (such as "acme.io/foo")'


class IngressClassStrategy(Strategy):
    """Who acts on Ingresses of this class."""

    def default(self, value: Value) -> None:
        """Parameters are of the whole cluster."""
        parameters = value.setdefault("spec", {}).get("parameters")
        if parameters is not None:
            parameters.setdefault("scope", _CLUSTER)

    def causes(self, value: Value, old: Value | None) -> Iterable[Cause]:
        """Of its controller, which stays the same, and of its parameters."""
        spec = value.get("spec", {})
        name = spec.get("controller", "")
        if old is not None and name != old.get("spec", {}).get("controller", ""):
            yield invalid("spec.controller", name, IMMUTABLE)
        yield from _of_controller(name)
        if "parameters" in spec:
            yield from _of_parameters(spec["parameters"], "spec.parameters")


class RuntimeClassStrategy(Strategy):
    """By which runtime the containers of a Pod are run."""

    needs_version = True

    def causes(self, value: Value, old: Value | None) -> Iterable[Cause]:
        """Of its handler, which stays the same."""
        handler = value.get("handler", "")
        if old is not None:
            if handler != old.get("handler", ""):
                yield invalid("handler", handler, IMMUTABLE)
            return
        for fault in dns_label_faults(handler):
            yield invalid("handler", handler, fault)


class CapacityStrategy(Strategy):
    """How much room a driver has on some hosts for volumes of a class."""

    needs_version = True

    def causes(self, value: Value, old: Value | None) -> Iterable[Cause]:
        """Of what it is about, which stays the same."""
        if old is not None:
            for name in ("nodeTopology", "storageClassName"):
                if value.get(name) != old.get(name):
                    yield invalid(name, value.get(name), IMMUTABLE)
            return
        yield from selector_causes(value.get("nodeTopology") or {}, "nodeTopology")
        name = value.get("storageClassName", "")
        for fault in dns_subdomain_faults(name):
            yield invalid("storageClassName", name, fault)


class AttachmentStrategy(Strategy):
    """That a volume is to be at a host; a driver brings it there."""

    needs_version = True

    def on_create(self, value: Value) -> None:
        """Not yet."""
        value["status"] = {"attached": False}

    def causes(self, value: Value, old: Value | None) -> Iterable[Cause]:
        """Of what is meant, which stays the same."""
        spec = value.get("spec", {})
        if not spec.get("attacher"):
            yield required("spec.attacher")
        source = spec.get("source", {})
        found = [name for name in ("inlineVolumeSpec", "persistentVolumeName") if name in source]
        said = "must specify exactly one of inlineVolumeSpec and persistentVolumeName"
        if not found:
            yield required("spec.source", said)
        elif len(found) > 1:
            yield forbidden("spec.source", said)
        elif source.get("persistentVolumeName") == "":
            yield required("spec.source.persistentVolumeName", "must specify non empty persistentVolumeName")
        node = spec.get("nodeName", "")
        for fault in dns_subdomain_faults(node):
            yield invalid("spec.nodeName", node, fault)
        if old is None:
            yield from _of_attacher(spec.get("attacher", ""))
            name = source.get("persistentVolumeName")
            for fault in dns_subdomain_faults(name) if name is not None else ():
                yield invalid("spec.source.persistentVolumeName", name, fault)
        elif spec != old.get("spec", {}):
            yield invalid("spec", _as_struct(spec), IMMUTABLE)


def _of_attacher(name: str) -> Iterator[Cause]:
    """What has been asked of new ones since their first version, as well."""
    if not name:
        yield required("spec.attacher")
    for fault in dns_subdomain_faults(name.lower()) if name else ():
        yield invalid("spec.attacher", name, fault)


def _as_struct(spec: Value) -> InOrder:
    source = spec.get("source", {})
    names = {"PersistentVolumeName": "persistentVolumeName", "InlineVolumeSpec": "inlineVolumeSpec"}
    shown = InOrder(**{go: source.get(name) for go, name in names.items()})
    return InOrder(Attacher=spec.get("attacher", ""), Source=shown, NodeName=spec.get("nodeName", ""))


def _of_controller(name: str) -> Iterator[Cause]:
    if not name:
        yield required("spec.controller")
        return
    domain, slash, path = name.partition("/")
    if not slash or not domain or not path:
        yield invalid("spec.controller", name, _PREFIXED)
        return
    for fault in dns_subdomain_faults(domain):
        yield invalid("spec.controller", domain, fault)


def _of_parameters(parameters: Value, path: str) -> Iterator[Cause]:
    group = parameters.get("apiGroup")
    if group is not None:
        for fault in dns_subdomain_faults(group):
            yield invalid(child(path, "apiGroup"), group, fault)
    yield from (required(child(path, name)) for name in ("kind", "name") if not parameters.get(name))
    scope, namespace, place = parameters.get("scope"), parameters.get("namespace"), child(path, "namespace")
    if scope not in (_CLUSTER, _NAMESPACE):
        yield not_supported(child(path, "scope"), scope, (_CLUSTER, _NAMESPACE))
    elif scope == _NAMESPACE and namespace is None:
        yield required(place, "`parameters.scope` is set to 'Namespace'")
    elif scope == _CLUSTER and namespace is not None:
        yield forbidden(place, "`parameters.scope` is set to 'Cluster'")
    elif namespace is not None:
        for fault in dns_label_faults(namespace):
            yield invalid(place, namespace, fault)
