"""Flow control: which requests wait where (FlowSchemas), and how long (PriorityLevelConfigurations).

A simulated server is never so busy that it lets anybody wait: the objects are kept and judged, and change nothing.
Those that a real server makes for itself are not there, and may be made by whoever likes to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from homeostat.sim.apiserver.refusing import Cause
from homeostat.sim.apiserver.schemas.causes import InOrder, at_index, child, forbidden, invalid, not_supported, required
from homeostat.sim.apiserver.schemas.rfc import dns_label_faults, dns_subdomain_faults
from homeostat.sim.apiserver.types.type import Strategy, Value

GROUP = "flowcontrol.apiserver.k8s.io"
_EXEMPT, _LIMITED = "Exempt", "Limited"
_PRECEDENCE, _MOST_PRECEDENCE = 1000, 10000
_MOST_QUEUES = 10_000_000
_ANY = "*"
_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch")
_SUBJECTS = {"Group": "group", "ServiceAccount": "serviceAccount", "User": "user"}
_NAMESPACE_SAYS = "each member of this list must be '*' or a DNS-1123 label; "


class FlowSchemaStrategy(Strategy):
    """Whose requests, for what, are of which level."""

    def default(self, value: Value) -> None:
        """One of many."""
        spec = value.setdefault("spec", {})
        spec["matchingPrecedence"] = spec.get("matchingPrecedence") or _PRECEDENCE

    def on_create(self, value: Value) -> None:
        """Nobody has looked at it yet."""
        value["status"] = {}

    def causes(self, value: Value, old: Value | None) -> Iterable[Cause]:  # noqa: ARG002
        """Of its place among others, its level, and its rules."""
        spec, name = value.get("spec", {}), value["metadata"].get("name", "")
        yield from _of_precedence(spec.get("matchingPrecedence", 0), name)
        method = spec.get("distinguisherMethod")
        if method is not None and method.get("type") not in ("ByNamespace", "ByUser"):
            shown = InOrder(Type=method.get("type", ""))
            yield not_supported("spec.distinguisherMethod.type", shown, ("ByNamespace", "ByUser"))
        level = spec.get("priorityLevelConfiguration", {}).get("name", "")
        if not level:
            yield required("spec.priorityLevelConfiguration.name", "must reference a priority level")
        else:
            for fault in dns_subdomain_faults(level):
                yield invalid("spec.priorityLevelConfiguration.name", level, fault)
        for index, rule in enumerate(spec.get("rules") or ()):
            yield from _of_rule(rule, at_index("spec.rules", index))


class PriorityLevelStrategy(Strategy):
    """How many requests of a level may be under way, and what becomes of others."""

    def default(self, value: Value) -> None:
        """Thirty shares; fifty in each of sixty-four queues."""
        spec = value.setdefault("spec", {})
        for name, shares in (("exempt", 0), ("limited", 30)):
            part = spec.get(name)
            if part is not None:
                part.setdefault("nominalConcurrencyShares", shares)
                part.setdefault("lendablePercent", 0)
        queuing = (spec.get("limited") or {}).get("limitResponse", {}).get("queuing")
        if queuing is not None:
            for name, number in (("handSize", 8), ("queues", 64), ("queueLengthLimit", 50)):
                queuing[name] = queuing.get(name) or number

    def on_create(self, value: Value) -> None:
        """Nobody has looked at it yet."""
        value["status"] = {}

    def causes(self, value: Value, old: Value | None) -> Iterable[Cause]:  # noqa: ARG002
        """Of its type, and of what that type has."""
        spec, name = value.get("spec", {}), value["metadata"].get("name", "")
        type_ = spec.get("type", "")
        if (name == "exempt") != (type_ == _EXEMPT):
            yield invalid("spec.type", type_, "must be 'Exempt' if and only if `name` is 'exempt'")
        if type_ == _EXEMPT:
            if "limited" in spec:
                yield forbidden("spec.limited", "must be nil if the type is not Limited")
            yield from _of_shares(spec.get("exempt") or {}, "spec.exempt")
        elif type_ == _LIMITED:
            if "exempt" in spec:
                yield forbidden("spec.exempt", "must be nil if the type is Limited")
            if "limited" not in spec:
                yield required("spec.limited", "must not be empty when type is Limited")
            else:
                yield from _of_limited(spec["limited"], "spec.limited")
        else:
            yield not_supported("spec.type", type_, (_EXEMPT, _LIMITED))


def _of_precedence(number: int, name: str) -> Iterator[Cause]:
    place = "spec.matchingPrecedence"
    if number <= 0:
        yield invalid(place, number, "must be a positive value")
    if number > _MOST_PRECEDENCE:
        yield invalid(place, number, f"must not be greater than {_MOST_PRECEDENCE}")
    if number == 1 and name != "exempt":
        yield invalid(place, number, "only the schema named 'exempt' may have matchingPrecedence 1")


def _of_rule(rule: Value, path: str) -> Iterator[Cause]:
    subjects = rule.get("subjects") or ()
    if not subjects:
        yield required(child(path, "subjects"), "subjects must contain at least one value")
    for index, subject in enumerate(subjects):
        yield from _of_subject(subject, at_index(child(path, "subjects"), index))
    resources, others = rule.get("resourceRules") or (), rule.get("nonResourceRules") or ()
    if not resources and not others:
        yield required(path, "at least one of resourceRules and nonResourceRules has to be non-empty")
    for index, each in enumerate(resources):
        yield from _of_resources(each, at_index(child(path, "resourceRules"), index))
    for index, each in enumerate(others):
        place = at_index(child(path, "nonResourceRules"), index)
        yield from _of_verbs(each.get("verbs") or [], child(place, "verbs"))
        said = "nonResourceURLs must contain at least one value"
        yield from _of_some(
            each.get("nonResourceURLs") or [], child(place, "nonResourceURLs"), said, "non-resource URLs"
        )


def _of_subject(subject: Value, path: str) -> Iterator[Cause]:
    kind = subject.get("kind", "")
    mine = _SUBJECTS.get(kind)
    if mine is None:
        yield not_supported(child(path, "kind"), kind, tuple(_SUBJECTS))
        return
    said, place = subject.get(mine), child(path, mine)
    if said is None:
        yield required(place, f"{mine} is required when subject kind is '{kind}'")
    elif not said.get("name"):
        yield required(child(place, "name"))
    if mine == "serviceAccount" and said is not None:
        yield from _of_account(said, place)
    for other, part in _SUBJECTS.items():
        if part != mine and part in subject:
            yield forbidden(child(path, part), f"{part} is forbidden when subject kind is not '{other}'")


def _of_account(said: Value, path: str) -> Iterator[Cause]:
    name, namespace = said.get("name", ""), said.get("namespace", "")
    if name and name != _ANY:
        for fault in dns_subdomain_faults(name):
            yield invalid(child(path, "name"), name, fault)
    if not namespace:
        yield required(child(path, "namespace"), "must specify namespace for service account")
    else:
        for fault in dns_label_faults(namespace):
            yield invalid(child(path, "namespace"), namespace, fault)


def _of_resources(rule: Value, path: str) -> Iterator[Cause]:
    yield from _of_verbs(rule.get("verbs") or [], child(path, "verbs"))
    for name, one, more in (("apiGroups", "api group", "api groups"), ("resources", "resource", "resources")):
        said = f"resource rules must supply at least one {one}"
        yield from _of_some(rule.get(name) or [], child(path, name), said, more)
    namespaces, place = rule.get("namespaces") or [], child(path, "namespaces")
    if not namespaces and rule.get("clusterScope"):
        return
    said = "resource rules that are not cluster scoped must supply at least one namespace"
    yield from _of_some(namespaces, place, said, "namespaces")
    for index, each in enumerate(namespaces if _ANY not in namespaces else ()):
        for fault in dns_label_faults(each):
            yield invalid(at_index(place, index), each, _NAMESPACE_SAYS + fault)


def _of_verbs(verbs: Sequence[str], path: str) -> Iterator[Cause]:
    yield from _of_some(verbs, path, "verbs must contain at least one value", "verbs")
    if verbs and _ANY not in verbs and not set(verbs) <= set(_VERBS):
        yield not_supported(path, verbs, _VERBS)


def _of_some(values: Sequence[str], path: str, said: str, others: str) -> Iterator[Cause]:
    if not values:
        yield required(path, said)
    elif _ANY in values and len(values) > 1:
        yield invalid(path, values, f"if '*' is present, must not specify other {others}")


def _of_limited(limited: Value, path: str) -> Iterator[Cause]:
    response, place = limited.get("limitResponse", {}), child(path, "limitResponse")
    yield from _of_shares(limited, path)
    if limited.get("borrowingLimitPercent", 0) < 0:
        said = "if specified, must be a non-negative integer"
        yield invalid(child(path, "borrowingLimitPercent"), limited["borrowingLimitPercent"], said)
    type_, queuing = response.get("type", ""), response.get("queuing")
    if type_ == "Reject":
        if queuing is not None:
            yield forbidden(child(place, "queuing"), "must be nil if limited.limitResponse.type is not Limited")
    elif type_ != "Queue":
        yield not_supported(child(place, "type"), type_, ("Queue", "Reject"))
    elif queuing is None:
        yield required(child(place, "queuing"), "must not be empty if limited.limitResponse.type is Limited")
    else:
        yield from _of_queues(queuing, child(place, "queuing"))


def _of_shares(part: Value, path: str) -> Iterator[Cause]:
    shares, lendable = part.get("nominalConcurrencyShares", 0), part.get("lendablePercent", 0)
    if shares < 0:
        yield invalid(child(path, "nominalConcurrencyShares"), shares, "must be a non-negative integer")
    if not 0 <= lendable <= 100:
        yield invalid(child(path, "lendablePercent"), lendable, "must be between 0 and 100, inclusive")


def _of_queues(queuing: Value, path: str) -> Iterator[Cause]:
    length, queues, hand = queuing["queueLengthLimit"], queuing["queues"], queuing["handSize"]
    for name, number in (("queueLengthLimit", length), ("queues", queues), ("handSize", hand)):
        if number <= 0:
            yield invalid(child(path, name), number, "must be positive")
    if queues > _MOST_QUEUES:
        yield invalid(child(path, "queues"), queues, f"must not be greater than {_MOST_QUEUES}")
    if hand > queues > 0:
        yield invalid(child(path, "handSize"), hand, f"should not be greater than queues ({queues})")
