"""All operators die at random moments while they mend a cluster, or give it other keys, or its data back.

It ends as if nobody had died: what was begun is complete, once, everything else is as before, and no write is lost.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.support.business import homeostat, wait_ready
from tests.support.datacentre import Centre, eventually, on_host
from tests.support.dying import Births, Deaths
from tests.support.masters import Masters, raised
from tests.support.spoiling import database, garbled

pytestmark = [pytest.mark.real, pytest.mark.soak]  # each takes minutes, most of which nobody leads

NAMESPACE, NAME = "real-dying", "tossed"
SEED = 20261127
LED_S = (2.0, 15.0)
LASTING = "deployments,statefulsets,services,configmaps,secrets,poddisruptionbudgets,pvc"
Say = Callable[[str], None]
Whole = dict[str, Any]


@pytest.fixture(scope="module")
def tossed(centre: Centre) -> Iterator[Masters]:
    """A highly available cluster whose dead members are replaced soon."""
    with raised(centre, NAMESPACE, NAME, healing={"replaceMemberAfterSeconds": 30}) as masters:
        yield masters


def lasting(masters: Masters) -> dict[str, Whole]:
    """All that is there of a cluster and has a name that stays, with what it is declared to be, but for its volume."""
    items = masters.centre.get(LASTING, "-n", NAMESPACE)["items"]
    return {f"{one['kind']}/{one['metadata']['name']}": {**one.get("spec", {}), "volumeName": None} for one in items}


def volumes(masters: Masters) -> int:
    """How many there are of the namespace."""
    items = masters.centre.get("pv")["items"]
    return sum(one["spec"]["claimRef"]["namespace"] == NAMESPACE for one in items)


def asked(masters: Masters, *words: str) -> None:
    """What a person asks for, who has to ask again while nobody answers the webhooks."""

    def is_taken() -> bool:
        return homeostat(masters.centre, *words, check=False).returncode == 0

    eventually(is_taken, within_s=60)


def test_a_member_is_replaced_once_and_no_write_is_lost(tossed: Masters, say: Say) -> None:
    centre, before = tossed.centre, lasting(tossed)
    victim = tossed.pods("etcd")[-1]
    name, host, directory = victim["metadata"]["name"], victim["spec"]["nodeName"], tossed.directory(victim)
    with tossed.life(attempts=2).lived() as client, Births(centre, NAMESPACE, NAME) as births:
        eventually(lambda: len(client.acknowledged) > 10, within_s=20)
        on_host(centre, host, f"rm -rf {directory}/*")
        began = time.monotonic()
        centre.kubectl("delete", "pod", name, "-n", NAMESPACE, "--grace-period=1")
        with Deaths(centre, random.Random(SEED), LED_S) as deaths:
            eventually(lambda: tossed.attempts() == 1 and len(tossed.ready("etcd")) == 3, within_s=400)
            took = time.monotonic() - began
        wait_ready(centre, NAMESPACE, NAME)
        made = births.counted()
    say(
        f"a member is replaced through {dict(deaths.by)} of operators after {took:.0f} s; Pods made: {made};"
        f" {len(client.failures)} of {client.tried} requests failed, {client.retried} tried twice"
    )
    assert deaths.by.total() > 0
    assert tossed.attempts() == 1
    assert tossed.directory(victim) != directory
    assert made.keys() == {"etcd"}
    assert (lasting(tossed), volumes(tossed)) == (before, 3)
    assert client.lost() == set()


def test_keys_are_rotated_as_often_as_undisturbed_and_clients_do_not_notice(tossed: Masters, say: Say) -> None:
    centre, before = tossed.centre, lasting(tossed)
    entries = tossed.secret("pki")
    words = ("rotate", "cluster", NAME, "-n", NAMESPACE)
    made, took = [], []
    with tossed.life(attempts=2).lived() as client:
        eventually(lambda: len(client.acknowledged) > 10, within_s=20)
        with Births(centre, NAMESPACE, NAME) as births:
            began = time.monotonic()
            homeostat(centre, *words, "--keys", "token-key", "--wait", "--timeout", "280s")
            homeostat(centre, *words, "--release", "--wait", "--timeout", "280s")
            took.append(time.monotonic() - began)
            made.append(births.counted())
        undisturbed = tossed.secret("pki")
        with Births(centre, NAMESPACE, NAME) as births:
            chance, began = random.Random(SEED), time.monotonic()
            asked(tossed, *words, "--keys", "token-key")
            with Deaths(centre, chance, LED_S) as deaths:
                eventually(lambda: rotation(tossed) == "Holding", within_s=600, every_s=1)
            asked(tossed, *words, "--release")
            with Deaths(centre, chance, LED_S) as more:
                eventually(lambda: rotation(tossed) == "", within_s=600, every_s=1)
            took.append(time.monotonic() - began)
            wait_ready(centre, NAMESPACE, NAME)
            made.append(births.counted())
    say(
        f"the key of tokens is replaced and the old one gone after {took[0]:.0f} s, and through"
        f" {dict(deaths.by + more.by)} of operators after {took[1]:.0f} s; Pods made: {made[0]} and {made[1]};"
        f" {len(client.failures)} of {client.tried} requests failed, {client.retried} tried twice"
    )
    assert (deaths.by.total() > 0, more.by.total() > 0) == (True, True)
    assert made[0] == made[1]
    assert tossed.status()["rotations"]["tokenKey"] == 2
    assert lasting(tossed).keys() == before.keys()
    for now, then in ((undisturbed, entries), (tossed.secret("pki"), undisturbed)):
        changed = {entry for entry in then if now.get(entry) != then[entry]}
        assert (now.keys(), changed) == (entries.keys(), {"sa.key"})
    assert client.failures == []
    assert client.lost() == set()


def rotation(masters: Masters) -> str:
    """The stage of the one that is under way; empty: there is none."""
    return str(masters.status().get("rotation", {}).get("stage", ""))


def test_a_lost_quorum_is_restored_once_with_all_that_its_snapshot_has(tossed: Masters, say: Say) -> None:
    centre, before = tossed.centre, lasting(tossed)
    tossed.forget_replacements()
    with tossed.life(attempts=2).lived() as client:
        eventually(lambda: len(client.acknowledged) > 25, within_s=30)
    homeostat(centre, "backup", "cluster", NAME, "-n", NAMESPACE, "--wait", "--timeout", "2m")
    taken = str(tossed.status()["backup"]["last"]["id"])
    centre.business(NAME, "create", "configmap", "after", namespace=NAMESPACE)
    for pod in tossed.pods("etcd")[1:]:
        on_host(centre, pod["spec"]["nodeName"], garbled(database(tossed.directory(pod))))
        name = pod["metadata"]["name"]
        centre.kubectl("delete", "pod", name, "-n", NAMESPACE, "--grace-period=1", "--wait=false")
    eventually(lambda: tossed.status().get("quorumLoss", {}).get("newestSnapshot") == taken, within_s=150)
    began = time.monotonic()
    tossed.patch(json.dumps({"healing": {"approveRestore": taken}}))
    with Births(centre, NAMESPACE, NAME) as births, Deaths(centre, random.Random(SEED), LED_S) as deaths:
        eventually(lambda: tossed.status().get("restore", {}).get("stage") == "Done", within_s=500, every_s=1)
        took = time.monotonic() - began
        made = births.counted()
    wait_ready(centre, NAMESPACE, NAME)
    say(f"a lost quorum is restored through {dict(deaths.by)} of operators after {took:.0f} s; Pods made: {made}")
    assert deaths.by.total() > 0
    assert client.lost() == set()
    assert centre.business(NAME, "get", "configmap", "after", "--ignore-not-found", namespace=NAMESPACE) == ""
    assert "quorumLoss" not in tossed.status()
    assert (lasting(tossed).keys(), volumes(tossed)) == (before.keys(), 3)
    assert [each for each in centre.get("pods", "-n", NAMESPACE)["items"] if is_of_a_restore(each)] == []


def is_of_a_restore(pod: Whole) -> bool:
    """Whether it is none of the masters, and made for a restore alone."""
    return "restore" in pod["metadata"]["name"]
