"""What a Pod asks of the place where it shall stand, worked out once from its spec."""

from __future__ import annotations

from msgspec import Struct

from homeostat.sim.apiserver.selecting.labels import Requirement, Requirements
from homeostat.sim.world.kinds.pods import Pod, PodAffinity, PodAffinityTerm, SpreadConstraint, Toleration
from homeostat.sim.world.scheduler.amounts import Amounts, requested, weighed
from homeostat.sim.world.scheduler.terms import Near, Place, Scope, near, node_term, place, requirements

HOST, ZONE = "kubernetes.io/hostname", "topology.kubernetes.io/zone"
Port = tuple[str, str, int]  # address, protocol, number
ANY_ADDRESS = "0.0.0.0"  # noqa: S104  (what a Pod says when it takes a port on all addresses)
# Labels by which a StatefulSet tells its Pods apart: what is not one Pod's alone makes them one family.
_OWN_LABELS = ("statefulset.kubernetes.io/pod-name", "apps.kubernetes.io/pod-index")


class Spread(Struct, frozen=True):
    """One constraint of evenness."""

    near: Near
    max_skew: int
    min_domains: int = 1
    honors_place: bool = True
    honors_taints: bool = False
    counts_itself: bool = True


class Ask(Struct, eq=False):
    """All that a Pod asks; and, once it stands somewhere, what it takes there. Compared by identity."""

    key: str
    uid: str
    namespace: str
    labels: dict[str, str]
    priority: int
    preempts: bool
    started: float  # when it began to run, or was made
    amounts: Amounts
    weighed: tuple[int, int]
    ports: tuple[Port, ...]
    place: Place
    preferred: tuple[tuple[int, tuple[Requirements, Requirements]], ...]
    tolerations: tuple[Toleration, ...]
    hard: tuple[Spread, ...]
    soft: tuple[Spread, ...]
    with_: tuple[Near, ...]
    away: tuple[Near, ...]
    drawn: tuple[tuple[int, Near], ...]  # weights; negative ones are for Pods to be away from
    claims: tuple[str, ...]
    is_ending: bool = False
    nominated: str = ""


def asked(pod: Pod) -> Ask:
    """What a Pod asks."""
    spec, meta = pod.spec, pod.metadata
    affinity = spec.affinity
    hard, soft = spreads(pod)
    began = pod.status.start_time or meta.creation_timestamp
    nearby, apart = (affinity.pod_affinity, affinity.pod_anti_affinity) if affinity else (PodAffinity(), PodAffinity())
    preferred = affinity.node_affinity.preferred if affinity else ()
    return Ask(
        key=meta.key,
        uid=meta.uid,
        namespace=meta.namespace,
        labels=meta.labels,
        priority=spec.priority,
        preempts=spec.preemption_policy != "Never",
        started=began.timestamp() if began else 0.0,
        amounts=requested(spec),
        weighed=weighed(spec),
        ports=_ports(pod),
        place=place(pod),
        preferred=tuple((each.weight, node_term(each.preference)) for each in preferred),
        tolerations=spec.tolerations,
        hard=hard,
        soft=soft,
        with_=_nears(nearby.required, meta.namespace),
        away=_nears(apart.required, meta.namespace),
        drawn=_drawn(nearby, apart, meta.namespace),
        claims=pod.claims(),
        is_ending=pod.is_ending,
        nominated=pod.status.nominated_node_name,
    )


def spreads(pod: Pod) -> tuple[tuple[Spread, ...], tuple[Spread, ...]]:
    """The constraints that must hold, and those that are worth something.

    A Pod that says none is to stand apart from others of its family, a little: kube-scheduler knows the family by the
    selectors of its Services and its owner, here it is those that have the same labels.
    """
    constraints = pod.spec.topology_spread_constraints
    hard = tuple(_spread(each, pod) for each in constraints if each.when_unsatisfiable == "DoNotSchedule")
    soft = tuple(_spread(each, pod) for each in constraints if each.when_unsatisfiable != "DoNotSchedule")
    if constraints or not any(each.controller for each in pod.metadata.owner_references):
        return hard, soft
    family = _equal({key: value for key, value in pod.metadata.labels.items() if key not in _OWN_LABELS})
    if not family:
        return hard, soft
    scope = Scope(family, (pod.metadata.namespace,))
    return (), tuple(Spread(Near(scope, key), skew) for key, skew in ((HOST, 3), (ZONE, 5)))


def _spread(constraint: SpreadConstraint, pod: Pod) -> Spread:
    labels = pod.metadata.labels
    own = {key: labels[key] for key in constraint.match_label_keys or () if key in labels}
    chosen = requirements(constraint.label_selector or {})
    # A server that has merged the keys into the selector says them twice, which is the same.
    selector = tuple(dict.fromkeys((*chosen, *_equal(own)))) if constraint.label_selector is not None else ()
    scope = Scope(selector, (pod.metadata.namespace,) if constraint.label_selector is not None else ())
    return Spread(
        Near(scope, constraint.topology_key),
        constraint.max_skew,
        constraint.min_domains or 1,
        constraint.node_affinity_policy == "Honor",
        constraint.node_taints_policy == "Honor",
        scope.has(pod.metadata.namespace, labels, {}),
    )


def _equal(labels: dict[str, str]) -> Requirements:
    return tuple(Requirement(key, "in", (value,)) for key, value in sorted(labels.items()))


def _nears(terms: tuple[PodAffinityTerm, ...], namespace: str) -> tuple[Near, ...]:
    return tuple(found for each in terms if (found := near(each, namespace)) is not None)


def _drawn(nearby: PodAffinity, apart: PodAffinity, namespace: str) -> tuple[tuple[int, Near], ...]:
    found: list[tuple[int, Near]] = []
    for sign, terms in ((1, nearby.preferred), (-1, apart.preferred)):
        for each in terms:
            term = near(each.pod_affinity_term, namespace)
            if term is not None:
                found.append((sign * each.weight, term))
    return tuple(found)


def _ports(pod: Pod) -> tuple[Port, ...]:
    return tuple(
        (port.host_ip or ANY_ADDRESS, port.protocol, port.host_port)
        for container in pod.spec.containers
        for port in container.ports
        if port.host_port
    )
