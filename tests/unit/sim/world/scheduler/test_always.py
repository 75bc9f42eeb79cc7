"""Whatever comes and goes: no Node gets more than it has, no required term is broken, and counts are true."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest
from tests.support.placing import Cluster, away_from, node, pod, spread

from homeostat.sim.world.kinds.pods import Pod
from homeostat.sim.world.scheduler.amounts import PODS
from homeostat.sim.world.scheduler.asking import HOST, ZONE, Ask, asked
from homeostat.sim.world.scheduler.estate import GroundKey
from homeostat.sim.world.scheduler.preempting import Preemption

APPS = ("web", "db", "job")


@pytest.mark.parametrize("seed", range(12))
def test_no_choice_breaks_a_rule(seed: int) -> None:
    dice = random.Random(seed)
    cluster = Cluster(*(node(f"n{at}", cpu="2", pods=5, zone="abc"[at % 3]) for at in range(9)))
    bodies: dict[str, Ask] = {}
    for at in range(120):
        if bodies and dice.random() < 0.3:
            key = dice.choice(sorted(bodies))
            cluster.estate.let_go(key)
            del bodies[key]
            continue
        body = _random_pod(dice, at)
        where = cluster.place(body)
        if where:
            ask = asked(msgspec.convert(body, Pod))
            bodies[ask.key] = ask
            _check_choice(cluster, ask, where)
        elif dice.random() < 0.5:
            _preempt_and_check(cluster, body)
        _check_rooms(cluster)
        _check_counts(cluster)


def _random_pod(dice: random.Random, number: int) -> dict[str, object]:
    labels = {"app": dice.choice(APPS), "tier": dice.choice("xy")}
    more: dict[str, Any] = {"priority": dice.choice((0, 0, 10))}
    kind = dice.randrange(5)
    if kind == 0:
        more["affinity"] = away_from(labels, dice.choice((HOST, ZONE)))
    elif kind == 1:
        more["affinity"] = away_from({"app": dice.choice(APPS)}, ZONE, "podAffinity")
    elif kind == 2:
        more["topologySpreadConstraints"] = [spread({"app": labels["app"]}), spread({"app": labels["app"]}, HOST)]
    return pod(f"p{number}", cpu=f"{dice.randrange(1, 9)}00m", labels=labels, **more)


def _check_choice(cluster: Cluster, ask: Ask, where: str) -> None:
    estate, labels = cluster.estate, cluster.estate.rooms[where].labels

    def standing(key: str, value: str) -> list[Ask]:
        rooms = [room for room in estate.order if room.labels[key] == value]
        return [each for room in rooms for each in room.tenants.values() if each.key != ask.key]

    for near in ask.away:
        others = standing(near.key, labels[near.key])
        assert not any(near.scope.has(each.namespace, each.labels, {}) for each in others)
    for near in ask.with_:
        everyone = [each for room in estate.order for each in room.tenants.values() if each.key != ask.key]
        wanted = [each for each in everyone if near.scope.has(each.namespace, each.labels, {})]
        assert not wanted or any(each in wanted for each in standing(near.key, labels[near.key]))
    for each in standing(HOST, labels[HOST]):
        assert not any(near.key == HOST and near.scope.has(ask.namespace, ask.labels, {}) for near in each.away)
    for rule in ask.hard:
        key, scope = rule.near.key, rule.near.scope
        values = {room.labels[key] for room in estate.order}
        counts = {
            value: sum(scope.has(each.namespace, each.labels, {}) for each in standing(key, value)) for value in values
        }
        assert counts[labels[key]] + 1 - min(counts.values()) <= rule.max_skew


def _preempt_and_check(cluster: Cluster, body: dict[str, object]) -> None:
    before = {name: dict(room.tenants) for name, room in cluster.estate.rooms.items()}
    found = cluster.preempt(body)
    assert {name: dict(room.tenants) for name, room in cluster.estate.rooms.items()} == before
    if isinstance(found, Preemption):
        ask = asked(msgspec.convert(body, Pod))
        assert found.victims
        assert all(each.priority < ask.priority for each in found.victims)


def _check_rooms(cluster: Cluster) -> None:
    for room in cluster.estate.order:
        assert len(room.tenants) <= room.allocatable[PODS]
        for name in ("cpu", "memory"):
            taken = sum(each.amounts.get(name, 0) for each in room.tenants.values())
            assert taken == room.taken.get(name, 0) <= room.allocatable[name]


def _check_counts(cluster: Cluster) -> None:
    estate = cluster.estate
    for (scope, _), tally in estate._tallies.items():
        for key in (HOST, ZONE):
            found: dict[str, int] = {}
            for room in estate.order:
                for each in room.tenants.values():
                    if scope.has(each.namespace, each.labels, estate.namespaces["default"]):
                        found[room.labels[key]] = found.get(room.labels[key], 0) + 1
            counts = tally.on(estate.ground(GroundKey(key)))
            assert counts.by_domain == found
            domains = {room.labels[key] for room in estate.order}
            assert counts.least() == min(found.get(each, 0) for each in domains)
