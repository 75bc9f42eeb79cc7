"""Claims about labels and Nodes in the form in which they are compared: frozen, and equal when they mean the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from homeostat.sim.apiserver.selecting.labels import Operator, Requirement, Requirements, requirements_of, selects
from homeostat.sim.world.kinds.nodes import Node, Taint
from homeostat.sim.world.kinds.pods import NodeSelector, NodeSelectorTerm, Pod, PodAffinityTerm, Selector, Toleration

_NODE_OPERATORS: Mapping[str, Operator] = {
    "In": "in",
    "NotIn": "notin",
    "Exists": "exists",
    "DoesNotExist": "absent",
    "Gt": ">",
    "Lt": "<",
}
NAME_FIELD = "metadata.name"


class Scope(Struct, frozen=True):
    """Which Pods are meant: of these namespaces, with these labels."""

    selector: Requirements
    namespaces: tuple[str, ...] = ()
    namespace_selector: Requirements | None = None

    def has(self, namespace: str, labels: Mapping[str, str], of_namespace: Mapping[str, str]) -> bool:
        """Whether a Pod of that namespace, which has labels of its own, is meant."""
        if namespace not in self.namespaces and (
            self.namespace_selector is None or not selects(self.namespace_selector, of_namespace)
        ):
            return False
        return selects(self.selector, labels)


class Near(Struct, frozen=True):
    """Pods, and the label of Nodes by which they are near or far."""

    scope: Scope
    key: str


def requirements(selector: Selector) -> Requirements:
    """The claims of a label selector, in an order of their own."""
    found = requirements_of(selector)
    return tuple(sorted(found, key=lambda each: (each.key, each.operator, each.values)))


def near(term: PodAffinityTerm, namespace: str) -> Near | None:
    """What an affinity term of a Pod of that namespace means; None when it means nobody."""
    if term.label_selector is None:
        return None
    chosen = None if term.namespace_selector is None else requirements(term.namespace_selector)
    names = tuple(sorted(term.namespaces or ()))
    if not names and chosen is None:
        names = (namespace,)
    return Near(Scope(requirements(term.label_selector), names, chosen), term.topology_key)


class Place(Struct, frozen=True):
    """Where a Pod must stand: its node selector, and one of the terms of its affinity."""

    labels: Requirements = ()
    terms: tuple[tuple[Requirements, Requirements], ...] | None = None  # of labels, and of fields

    @property
    def is_anywhere(self) -> bool:
        """Whether it says nothing."""
        return not self.labels and self.terms is None

    def has(self, name: str, labels: Mapping[str, str]) -> bool:
        """Whether a Node is such a place."""
        if not selects(self.labels, labels):
            return False
        return self.terms is None or any(term_holds(each, name, labels) for each in self.terms)

    def names(self) -> tuple[str, ...] | None:
        """The only Nodes that it may be, when its terms say them by name."""
        if self.terms is None:
            return None
        found: dict[str, None] = {}
        for _, fields in self.terms:
            named = [each.values for each in fields if each.key == NAME_FIELD and each.operator == "in"]
            if not named:
                return None
            found.update(dict.fromkeys(named[0]))
        return tuple(found)


def place(pod: Pod) -> Place:
    """Where a Pod must stand."""
    spec = pod.spec
    chosen = tuple(Requirement(key, "in", (value,)) for key, value in sorted(spec.node_selector.items()))
    required = spec.affinity.node_affinity.required if spec.affinity is not None else None
    return Place(chosen, None if required is None else node_terms(required))


def node_terms(selector: NodeSelector) -> tuple[tuple[Requirements, Requirements], ...]:
    """The terms of a node selector; an empty term holds for no Node, and is left out."""
    return tuple(found for each in selector.node_selector_terms if (found := node_term(each)) != ((), ()))


def node_term(term: NodeSelectorTerm) -> tuple[Requirements, Requirements]:
    """One term: claims about labels, and about fields."""
    return _claims(term.match_expressions), _claims(term.match_fields)


def term_holds(term: tuple[Requirements, Requirements], name: str, labels: Mapping[str, str]) -> bool:
    """Whether a term holds for a Node."""
    of_labels, of_fields = term
    return selects(of_labels, labels) and selects(of_fields, {NAME_FIELD: name})


def _claims(expressions: Sequence[Mapping[str, Any]]) -> Requirements:
    return tuple(
        Requirement(each["key"], _NODE_OPERATORS[each["operator"]], tuple(each.get("values") or ()))
        for each in expressions
    )


def tolerates(tolerations: Sequence[Toleration], taint: Taint) -> bool:
    """Whether any of the tolerations bears a taint."""
    return any(bears(each, taint) for each in tolerations)


def bears(toleration: Toleration, taint: Taint) -> bool:
    """Whether a toleration bears a taint."""
    if toleration.effect and toleration.effect != taint.effect:
        return False
    if toleration.key and toleration.key != taint.key:
        return False
    return toleration.operator == "Exists" or (bool(toleration.key) and toleration.value == taint.value)


def unborne(node: Node, tolerations: Sequence[Toleration], effects: Sequence[str]) -> Taint | None:
    """The first taint of these effects that keeps a Pod away."""
    return next(
        (each for each in node.spec.taints if each.effect in effects and not tolerates(tolerations, each)), None
    )
