"""Draws a schedule from a seed: what owners, hosts and fate do to a fleet in so many hours.

Busy times and quiet ones come in turn, so that troubles meet each other and also end. What is drawn knows nothing of
what became of the events before it.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from tests.support.chaos.event import Event, Schedule

from homeostat.sim.world.faults.injecting import CATALOGUE

HOUR_S = 3600.0
CLUSTERS = ("ant", "bee", "cat", "dog", "elk")
HOSTS = tuple(f"host-{zone}{number}" for number in (1, 2) for zone in "abc")
VERSIONS = ("v1.34.3", "v1.34.4", "v1.35.4", "v1.35.4-hosted")
IMAGES = tuple(f"homeostat.local/kube-{part}:v1.35.4" for part in ("apiserver", "scheduler", "controller-manager"))
_GROUPS = ("zone=a", "zone=b", "rack=c-r1", "switch=a-r1-s1", "all")
_BUSY_S, _QUIET_S = (10.0, 150.0), (600.0, 1500.0)
_PARTS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
Drawn = tuple[str, str, dict[str, Any]]


def drawn(seed: int, hours: float) -> Schedule:
    """Events of a life, in their order. The first ones declare clusters."""
    chance = Random(seed)
    events = [Event(float(5 * number), *_declared(chance, name)) for number, name in enumerate(CLUSTERS[:3])]
    at = 240.0
    while True:
        at += chance.uniform(*_BUSY_S) if chance.random() < 0.96 else chance.uniform(*_QUIET_S)
        if at > hours * HOUR_S:
            return events
        kind = chance.choices([each for each, _ in _KINDS], [weight for _, weight in _KINDS])[0]
        events.append(Event(round(at, 1), *kind(chance)))


def _declared(chance: Random, name: str) -> Drawn:
    spec: dict[str, Any] = {"packageVersion": chance.choice(VERSIONS)}
    if chance.random() < 0.4:
        spec["topology"] = "ha"
        spec["healing"] = {"replaceMemberAfterSeconds": chance.choice((60, 300))}
    if chance.random() < 0.5:
        spec["upgradePolicy"] = {"onFailure": chance.choice(("Pause", "Rollback"))}
    return "declare", name, spec


def _declare(chance: Random) -> Drawn:
    return _declared(chance, chance.choice(CLUSTERS))


def _delete(chance: Random) -> Drawn:
    return "delete", chance.choice(CLUSTERS), {}


def _wish(chance: Random) -> Drawn:
    """What people change in a spec, sound or not."""
    wishes: tuple[Callable[[], dict[str, Any]], ...] = (
        lambda: {"packageVersion": chance.choice(VERSIONS)},
        lambda: {"packageVersion": chance.choice((*VERSIONS, "v1.36.0", "v1.34.4-etcd3.5", "v1.35.4-small"))},
        lambda: {"topology": chance.choice(("single", "ha"))},
        lambda: {"overrides": _overrides(chance)},
        lambda: {"paused": chance.random() < 0.5},
        lambda: {"healing": {"paused": chance.random() < 0.3}},
        lambda: {"keys": {chance.choice(("rotations", "released")): _numbers(chance)}},
        lambda: {"backup": {"request": f"r{chance.randrange(1000)}"}},
        lambda: {"audit": {"level": chance.choice(("Off", "Metadata", "Request"))}},
        lambda: {"upgradePolicy": {"attempt": chance.randrange(5), "onFailure": chance.choice(("Pause", "Rollback"))}},
        lambda: {"deletionProtection": chance.random() < 0.3},
    )
    return "change", chance.choice(CLUSTERS), chance.choice(wishes)()


def _numbers(chance: Random) -> dict[str, int]:
    return {chance.choice(("authorities", "tokenKey", "encryptionKey")): chance.randrange(3)}


def _overrides(chance: Random) -> list[dict[str, Any]]:
    """None, sound ones, and one that the operator does not let through."""
    options: tuple[list[dict[str, Any]], ...] = (
        [],
        [{"name": "kube-apiserver", "args": {"max-requests-inflight": str(chance.choice((400, 800)))}}],
        [{"name": "kube-scheduler", "args": {"v": "2"}}],
        [{"name": "etcd", "removeArgs": ["snapshot-count"]}],
        [{"name": "kube-apiserver", "args": {"etcd-servers": "https://elsewhere:2379"}}],
        [{"name": "kube-apiserver", "args": {"no-such-flag": "1"}}],
    )
    return chance.choice(options)


def _write(_: Random) -> Drawn:
    return "write", "", {}


def _fault(chance: Random) -> Drawn:
    found = CATALOGUE[chance.choice([name for name in sorted(CATALOGUE) if name != "disk-lost"])]
    what: dict[str, Any] = {"fault": found.name}
    if found.lasts:
        what["for_s"] = round(chance.choice((20.0, 90.0, 400.0, 1500.0)) * chance.uniform(0.5, 1.5))
    if found.name == "kernel-panic":
        what |= {"times": chance.randrange(1, 4)}
    on = {"host": chance.choice(HOSTS if chance.random() < 0.85 else _GROUPS), "image": chance.choice(IMAGES)}
    return "fault", on.get(found.on, ""), what


def _loss(chance: Random) -> Drawn:
    return "fault", chance.choice(HOSTS), {"fault": "disk-lost"}


def _pod(chance: Random) -> Drawn:
    return "delete-pod", chance.choice(CLUSTERS), {"component": chance.choice(_PARTS), "at": chance.randrange(3)}


def _hang(chance: Random) -> Drawn:
    part = chance.choice(("etcd", "kube-apiserver", "kube-apiserver"))
    return "hang", chance.choice(CLUSTERS), {"component": part, "at": chance.randrange(3)}


def _meddle(chance: Random) -> Drawn:
    """What people do to what is not theirs."""
    parts = ("apiserver", "controller-manager", "scheduler")
    options: tuple[tuple[str, dict[str, Any]], ...] = (
        ("remove", {"kind": "Deployment", "name": chance.choice(parts)}),
        ("remove", {"kind": "Service", "name": chance.choice(("etcd", "etcd-client"))}),
        ("remove", {"kind": "ConfigMap", "name": "etcd"}),
        ("remove", {"kind": "StatefulSet", "name": "etcd"}),
        ("remove", {"kind": "Secret", "name": chance.choice((*parts, "etcd", "admin-kubeconfig"))}),
        ("edit", {"kind": "Deployment", "name": chance.choice(parts), "patch": {"spec": {"replicas": 0}}}),
        ("edit", {"kind": "StatefulSet", "name": "etcd", "patch": {"spec": {"replicas": 5}}}),
        ("edit", {"kind": "Service", "name": "apiserver", "patch": {"spec": {"ports": None, "type": "ClusterIP"}}}),
        ("edit", {"kind": "ConfigMap", "name": "etcd", "patch": {"data": {"initial-cluster-state": "new"}}}),
        ("edit", {"kind": "Secret", "name": chance.choice(parts), "patch": {"data": {"tls.crt": "bm9uZQ=="}}}),
    )
    deed, what = chance.choice(options)
    return deed, chance.choice(CLUSTERS), what


def _cordon(chance: Random) -> Drawn:
    return "cordon", chance.choice(HOSTS), {"closed": chance.random() < 0.4}


def _operator(chance: Random) -> Drawn:
    if chance.random() < 0.3:
        return "operator-overlaps", "", {}
    return "operator-dies", "", {"for_s": chance.choice((2.0, 20.0, 200.0))}


def _trouble(chance: Random) -> Drawn:
    kinds = ("busy", "failure", "conflict", "lost", "cut")
    return "api-trouble", "", {"trouble": chance.choice(kinds), "for_s": chance.choice((5.0, 40.0))}


_KINDS: tuple[tuple[Callable[[Random], Drawn], int], ...] = (
    *((_declare, 6), (_delete, 5), (_wish, 24), (_write, 10)),
    *((_fault, 22), (_loss, 1), (_pod, 5), (_hang, 4), (_meddle, 6), (_cordon, 3)),
    *((_operator, 5), (_trouble, 4)),
)
