"""Who is ill: two signals agree for long enough, and nothing explains it better."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec import convert
from msgspec.structs import replace
from tests.support.clusters import NOW
from tests.support.unwell import (
    LATELY,
    LONG_AGO,
    MANAGER,
    SERVER,
    leading,
    master,
    name_of,
    silent,
    sound,
    uid_of,
    unwell,
)

from homeostat.api.pods import PodStatus
from homeostat.operators.cluster import words
from homeostat.operators.cluster.healing.illness import ill_masters
from homeostat.operators.cluster.healing.policy import Policy
from homeostat.operators.cluster.healing.seen import ServerSeen
from homeostat.operators.cluster.observe import Observed, ProbeSeen
from homeostat.operators.cluster.ports import Refusal
from homeostat.operators.cluster.topology import SINGLE

POLICY = Policy()
JUST_NOW = NOW - timedelta(seconds=5)
UNREADY = master(SERVER, 0, ready=False)
FAILED = {0: silent(), 1: sound()}


def ill(seen: Observed) -> list[tuple[str, str]]:
    return [(each.pod.metadata.name, each.reason) for each in ill_masters(seen, NOW, POLICY)]


def running_since(minutes: int) -> dict[str, object]:
    return {"state": {"running": {"startedAt": (NOW - timedelta(minutes=minutes)).isoformat()}}}


def looping(restarts: int) -> dict[str, object]:
    return {"restartCount": restarts, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}


FIRST = name_of(SERVER, 0)


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (unwell(), []),
        (unwell(UNREADY, servers=FAILED), [(FIRST, words.UNREADY)]),
        (unwell(UNREADY), []),  # it answers: only its kubelet finds it so
        (unwell(UNREADY, servers={0: ServerSeen(NOW, "once"), 1: sound()}), []),
        (unwell(master(SERVER, 0, ready=False, since=JUST_NOW), servers=FAILED), []),
        (unwell(master(SERVER, 0, ready=False, address=""), servers={1: sound()}), [(FIRST, words.UNREADY)]),
        (unwell(servers=FAILED), [(FIRST, words.UNRESPONSIVE)]),
        (unwell(servers={0: silent(JUST_NOW), 1: sound()}), []),
        (unwell(servers={0: silent(), 1: silent()}), []),  # what all have in common is not the fault of one
        (unwell(servers={0: silent()}), []),  # there is nothing to compare it with
    ],
)
def test_an_api_server_is_ill_when_it_does_not_answer_and_its_kubelet_or_its_sibling_agrees(
    seen: Observed, expected: list[tuple[str, str]]
) -> None:
    assert ill(seen) == expected


@pytest.mark.parametrize(
    ("container", "since", "is_ill"),
    [
        (running_since(2), NOW - timedelta(minutes=3), False),  # it started after it became unready: it is starting
        (running_since(4), NOW - timedelta(minutes=5), True),  # for too long
        (running_since(2), LATELY, True),  # it was ready since it started
        (looping(2), NOW - timedelta(minutes=30), False),  # its kubelet starts it again
        (looping(3), NOW - timedelta(minutes=30), True),
        ({"state": {"waiting": {"reason": "ErrImagePull"}}}, NOW - timedelta(minutes=30), True),
    ],
)
def test_who_starts_or_is_started_again_by_its_kubelet_is_given_time(
    container: dict[str, object], since: object, is_ill: bool
) -> None:
    pod = master(SERVER, 0, ready=False, since=since, container=container)  # type: ignore[arg-type]
    assert bool(ill(unwell(pod, servers=FAILED))) is is_ill


def test_a_pod_that_is_being_deleted_is_not_ill() -> None:
    going = master(SERVER, 0, ready=False, metadata={"deletionTimestamp": LATELY.isoformat()})
    assert ill(unwell(going, servers=FAILED)) == []


def test_without_a_quorum_of_etcd_no_api_server_is_blamed() -> None:
    seen = unwell(UNREADY, servers=FAILED)
    members = [pod for pod in seen.pods if pod.metadata.name.startswith("demo-etcd")]
    left = tuple(pod for pod in seen.pods if pod not in members[:2])
    assert ill(replace(seen, pods=left)) == []


def test_when_etcd_has_its_quorum_again_api_servers_are_given_time_to_notice() -> None:
    seen = unwell(UNREADY, servers=FAILED)
    back = {"type": "Ready", "status": "True", "lastTransitionTime": JUST_NOW.isoformat()}
    status = convert({"conditions": [back]}, PodStatus, strict=False)
    pods = (replace(pod, status=status) if "etcd" in pod.metadata.name else pod for pod in seen.pods)
    assert ill(replace(seen, pods=tuple(pods))) == []


@pytest.mark.parametrize(
    ("failed", "minutes", "expected"),
    [(True, 3, [(FIRST, words.UNRESPONSIVE)]), (True, 1, []), (False, 3, [])],
)
def test_the_only_api_server_is_ill_when_the_endpoint_fails_too_for_longer(
    failed: bool, minutes: int, expected: list[tuple[str, str]]
) -> None:
    seen = unwell(servers={0: silent(NOW - timedelta(minutes=minutes))})
    alone = tuple(pod for pod in seen.pods if pod.metadata.uid != uid_of(SERVER, 1))
    probed = ProbeSeen(NOW, "" if failed else "v1.35.4")
    assert SINGLE.quorum == 1
    assert ill(replace(seen, pods=alone, probed=probed)) == expected


def test_the_only_api_server_is_not_ill_for_what_it_refuses() -> None:
    refused = Refusal("admission webhook denied the request", is_by_policy=True)
    seen = unwell(servers={0: sound()})
    alone = tuple(pod for pod in seen.pods if pod.metadata.uid != uid_of(SERVER, 1))
    assert ill(replace(seen, pods=alone, probed=ProbeSeen(NOW, "v1.35.4", refused=refused))) == []


def leader(seen: Observed, number: int, since: timedelta) -> Observed:
    return replace(seen, leaders={MANAGER: leading(MANAGER, number, NOW - since)})


BAD_MANAGER = unwell(master(MANAGER, 0, ready=False))
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (leader(BAD_MANAGER, 1, SECOND), [(name_of(MANAGER, 0), words.UNREADY)]),
        (leader(BAD_MANAGER, 0, SECOND), []),  # it leads: only its kubelet finds it so
        (leader(BAD_MANAGER, 0, 61 * SECOND), [(name_of(MANAGER, 0), words.UNREADY)]),
        (leader(unwell(), 0, 61 * SECOND), [(name_of(MANAGER, 0), words.NOT_LEADING)]),
        (leader(unwell(), 0, 59 * SECOND), []),
        (replace(BAD_MANAGER, leaders={}), []),  # nobody told who leads
    ],
)
def test_a_controller_is_judged_by_its_kubelet_and_by_the_lease_of_its_leader(
    seen: Observed, expected: list[tuple[str, str]]
) -> None:
    assert ill(seen) == expected


def test_a_lease_that_was_looked_at_long_ago_says_nothing() -> None:
    old = replace(leading(MANAGER, 1), at=LONG_AGO)
    assert ill(replace(BAD_MANAGER, leaders={MANAGER: old})) == []
