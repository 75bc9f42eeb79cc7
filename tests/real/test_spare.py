"""A cell with a host to spare in a zone: what stood on one that never comes back moves there, etcd's member too."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator

import pytest
from tests.support.business import create, wait_ready
from tests.support.datacentre import Centre, eventually, power
from tests.support.masters import Masters

pytestmark = [pytest.mark.real, pytest.mark.soak]  # it raises a data centre of its own

NAMESPACE, NAME = "real-spare", "moving"
OUTAGE_S, PATIENCE_S, REPLACED_S = 5.0, 30, 120.0


@pytest.fixture
def wide() -> Iterator[Centre]:
    """A data centre with two hosts in one of its zones."""
    real = Centre(f"w{os.getpid()}")
    try:
        real.homeostat("up", "--hosts", "4")
        yield real
    finally:
        real.homeostat("down")


def test_the_member_of_a_host_that_stays_away_is_replaced_on_the_spare_one(
    wide: Centre, say: Callable[[str], None]
) -> None:
    pair = [place.name for place in wide.inner.plan.meta if place.zone == "a"]
    wide.kubectl("create", "namespace", NAMESPACE)
    create(wide, NAMESPACE, NAME, "cluster-ha.yaml", healing={"replaceMemberAfterSeconds": PATIENCE_S})
    wanted = ("get", "configmap", "kube-root-ca.crt", "--ignore-not-found", "-o", "name")
    eventually(lambda: bool(wide.business(NAME, *wanted, namespace=NAMESPACE)), within_s=60)
    masters = Masters(wide, NAMESPACE, NAME)
    (victim,) = {host for host in masters.hosts("etcd") if host in pair}
    with masters.life().lived() as client:
        eventually(lambda: len(client.acknowledged) > 10, within_s=20)
        died = time.monotonic()
        power(wide, victim, on=False)
        eventually(lambda: len(masters.ready("etcd")) == 3 and victim not in masters.hosts("etcd"), within_s=REPLACED_S)
        took = time.monotonic() - died
        wait_ready(wide, NAMESPACE, NAME)
    say(
        f"the member of a host that stays away is replaced after {took:.0f} s, {PATIENCE_S} s of them patience;"
        f" {len(client.failures)} of {client.tried} requests failed, the last one begun"
        f" {client.failed_for(died):.1f} s after"
    )
    assert {host for host in masters.hosts("etcd") if host in pair} == set(pair) - {victim}
    assert client.failed_for(died) <= OUTAGE_S, client.failures
    assert client.lost() == set()
