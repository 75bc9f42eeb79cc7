"""The built-in types that are imitated, with the schemas that a real API server has told of.

A type is served when what it does beyond its schema is known here. The others are shown by discovery, because a real
server has them, and refused by name when somebody uses them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from homeostat.api import kind
from homeostat.sim.apiserver.refusing import Cause, not_imitated
from homeostat.sim.apiserver.schemas import builtin, decoding
from homeostat.sim.apiserver.schemas.shape import Shape
from homeostat.sim.apiserver.store.store import Collection
from homeostat.sim.apiserver.types.encoding import Node, complete, node, shorten
from homeostat.sim.apiserver.types.type import Names, Strategy, Type, Value

# Types whose objects have a generation that counts the changes of what is meant.
_GENERATIONS = frozenset(
    {
        ("apps", "daemonsets"),
        ("apps", "deployments"),
        ("apps", "replicasets"),
        ("apps", "statefulsets"),
        ("apiextensions.k8s.io", "customresourcedefinitions"),
        ("admissionregistration.k8s.io", "mutatingwebhookconfigurations"),
        ("admissionregistration.k8s.io", "validatingadmissionpolicies"),
        ("admissionregistration.k8s.io", "validatingadmissionpolicybindings"),
        ("admissionregistration.k8s.io", "validatingwebhookconfigurations"),
        ("batch", "cronjobs"),
        ("batch", "jobs"),
        ("flowcontrol.apiserver.k8s.io", "flowschemas"),
        ("flowcontrol.apiserver.k8s.io", "prioritylevelconfigurations"),
        ("networking.k8s.io", "ingressclasses"),
        ("networking.k8s.io", "ingresses"),
        ("networking.k8s.io", "networkpolicies"),
        ("policy", "poddisruptionbudgets"),
        ("discovery.k8s.io", "endpointslices"),
        ("scheduling.k8s.io", "priorityclasses"),
        ("", "pods"),
        ("", "replicationcontrollers"),
    }
)


class BuiltInSchema:
    """What the schema of a built-in type says of its objects."""

    def __init__(self, resource: builtin.Resource, strategy: Strategy) -> None:
        self._resource = resource
        self._strategy = strategy
        self._shape: Shape | None = None

    @property
    def shape(self) -> Shape:
        """How objects merge, made when it is first asked for."""
        if self._shape is None:
            self._shape = builtin.shape(self._resource.group, self._resource.version, self._resource.kind)
        return self._shape

    @property
    def empty(self) -> Value:
        """What an object cannot be without."""
        made: Value = {}
        complete(made, self._node)
        return {key: each for key, each in made.items() if key not in ("kind", "apiVersion", "metadata")}

    def decode(self, value: Value, before: Value | None = None) -> tuple[Value, list[str]]:
        """The known fields, as decoding into a Go type leaves them."""
        resource = self._resource
        decoded, faults = decoding.decode(value, resource.group, resource.version, resource.kind, before)
        shorten(decoded, self._node, before)
        return decoded, faults

    def default(self, value: Value) -> None:
        """What built-in types fill in is written in Go, and so here by their kinds."""
        self._strategy.default(value)
        complete(value, self._node)

    def causes(self, value: Value, old: Value | None, *, is_status: bool) -> Iterable[Cause]:  # noqa: ARG002
        """Nothing: what built-in types ask for is written in Go, and so here by their kinds."""
        return ()

    @property
    def _node(self) -> Node:
        return node(self._resource.group, self._resource.version, self._resource.kind)


class NotImitated(Strategy):
    """Refuses every object of a type that a real server would serve."""

    def __init__(self, what: str) -> None:
        self._what = what

    def check_use(self) -> None:
        """Nobody can use it. Raises Refused."""
        raise not_imitated(self._what)


def builtin_types(strategies: Mapping[Collection, Strategy]) -> Iterator[Type]:
    """All built-in types, those without a strategy as ones that are not imitated."""
    for resource in builtin.resources():
        address = (resource.group, resource.plural)
        qualified = f"{resource.plural}.{resource.group}" if resource.group else resource.plural
        strategy = strategies.get(address) or NotImitated(qualified)
        yield Type(
            resource=kind.Resource(
                resource.group, resource.version, resource.kind, resource.plural, namespaced=resource.namespaced
            ),
            schema=BuiltInSchema(resource, strategy),
            strategy=strategy,
            names=Names(resource.singular, resource.short_names, resource.categories),
            subresources=tuple(each.name for each in resource.subresources),
            counts_generations=address in _GENERATIONS,
            verbs=resource.verbs,
        )
