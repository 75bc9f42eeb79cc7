"""Before API servers that clients meet move, one of the kind is tried that nobody meets."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from tests.support.clusters import NOW, cluster, new, planned, running, settled, waiting
from tests.support.rollouts import NEW, OLD, READY, look, moved, tried, wishing

from homeostat.api.cluster.masters import API_SERVER, ETCD
from homeostat.api.cluster.parameters import ComponentChecks
from homeostat.operators.cluster import words
from homeostat.operators.cluster.actions import Action, CheckServers, EndTrial, Remove, Step
from homeostat.operators.cluster.decide import Policy, decide
from homeostat.operators.cluster.desired import foundations, workloads
from homeostat.operators.cluster.healing.seen import HostSeen
from homeostat.operators.cluster.manifests.shape import Desired
from homeostat.operators.cluster.names import ENDPOINT_LABEL, TRIAL
from homeostat.operators.cluster.observe import Live, Observed, ProbeSeen
from homeostat.operators.cluster.pacing.place import Place
from homeostat.operators.cluster.rollout.members import Roll

REFUSED = "401 Unauthorized"
BEFORE = f"before {API_SERVER} moves: one is tried beside the others: "
END = EndTrial("demo-apiserver-trial", "uid-trial")


def ready_to_move(**policy: Any) -> Observed:
    """A cluster whose etcd has moved, so that its API servers are next."""
    return moved(wishing(upgradePolicy={"snapshot": "BestEffort", **policy}), ETCD)


def actions(seen: Observed, now: datetime = NOW) -> tuple[Action, ...]:
    return decide(seen, now, Policy()).actions


def step_of(seen: Observed, now: datetime = NOW) -> Step:
    found = decide(seen, now, Policy()).step
    assert found is not None
    return found


def told(seen: Observed, now: datetime = NOW) -> tuple[str, str]:
    verdict = step_of(seen, now).verdict
    assert verdict is not None
    return verdict.reason, verdict.message


def trials(seen: Observed, now: datetime = NOW) -> list[Desired]:
    """Those that would be started."""
    return [each for each in planned(decide(seen, now, Policy())) if each.component == TRIAL]


def unasked(seen: Observed) -> Observed:
    """As a process sees it that has just started: it knows no answers."""
    return replace(seen, servers={})


def where(seen: Observed, at: Mapping[str, str], wish: str) -> Observed:
    """The same with components of other package versions, and another wish."""
    components = tuple(replace(each, package_version=at.get(each.name, OLD)) for each in seen.cluster.status.components)
    status = replace(seen.cluster.status, components=components)
    spec = replace(seen.cluster.spec, package_version=wish)
    return replace(seen, cluster=replace(seen.cluster, status=status, spec=spec))


def test_it_is_an_api_server_like_those_to_come_that_no_client_finds() -> None:
    seen = ready_to_move()
    (one,) = trials(seen)
    then = replace(seen, cluster=replace(seen.cluster, status=look(seen)[1]))
    (wanted,) = [each for each in workloads(then, Roll(0)) if each.component == API_SERVER]
    mine, others = (each.body["spec"]["template"] for each in (one, wanted))
    flags, wanted_flags = (set(each["spec"]["containers"][0]["command"]) for each in (mine, others))
    assert (flags - wanted_flags, wanted_flags - flags) == ({"--endpoint-reconciler-type=none"}, set())
    assert mine["spec"]["containers"][0]["image"] == others["spec"]["containers"][0]["image"]
    assert mine["spec"]["volumes"] == others["spec"]["volumes"]
    assert ENDPOINT_LABEL not in mine["metadata"]["labels"]
    choosing = [each.body.get("spec", {}).get("selector", {}) for each in (*foundations(seen), wanted)]
    chosen = [each.get("matchLabels", each) for each in choosing if each]
    assert len(chosen) >= 4
    assert not [each for each in chosen if each.items() <= mine["metadata"]["labels"].items()]


def test_nothing_moves_before_it_has_answered() -> None:
    seen = ready_to_move()
    assert told(seen) == (words.AWAITING_HEALTH, f"{BEFORE}it is started")
    starting = tried(seen, how={})
    assert told(starting) == (words.AWAITING_HEALTH, f"{BEFORE}starting demo-apiserver-trial-1 on h1")
    ready = unasked(tried(seen))
    assert told(ready) == (words.AWAITING_HEALTH, f"{BEFORE}it is asked")
    (question,) = [each for each in actions(ready) if isinstance(each, CheckServers)]
    assert [server.pod for server in question.servers] == ["demo-apiserver-trial-1"]
    assert step_of(tried(seen)).moves == (API_SERVER,)


def test_one_that_says_it_is_ready_and_refuses_clients_is_asked_again_and_nothing_moves() -> None:
    seen = tried(ready_to_move(), failure=REFUSED)
    assert told(seen) == (words.AWAITING_HEALTH, f"{BEFORE}{REFUSED}")
    assert not [each for each in actions(seen) if isinstance(each, CheckServers)]
    later = NOW + timedelta(seconds=5)
    assert [each for each in actions(seen, later) if isinstance(each, CheckServers)]
    assert step_of(seen, later).moves == ()


def test_one_that_lives_and_takes_no_writes_of_its_own_accord_is_of_no_use_either() -> None:
    seen = tried(ready_to_move(), refused="403 Forbidden")
    assert told(seen) == (words.AWAITING_HEALTH, f"{BEFORE}403 Forbidden")


@pytest.mark.parametrize(
    ("how", "patience_s"),
    [(READY, 300), (waiting("CrashLoopBackOff", "bad flag", restarts=4), 60), (waiting("ImagePullBackOff"), 60)],
)
def test_when_it_had_its_time_the_move_fails_and_the_others_were_never_touched(
    how: dict[str, Any], patience_s: int
) -> None:
    seen = tried(ready_to_move(), failure=REFUSED, how=how)
    assert told(seen, NOW + timedelta(seconds=patience_s))[0] == words.AWAITING_HEALTH
    over = NOW + timedelta(seconds=patience_s + 1)
    reason, message = told(seen, over)
    assert reason == words.UPGRADE_FAILED
    assert message.startswith(f"{API_SERVER}: one is tried beside the others: ")
    assert message.endswith(f"; set spec.packageVersion back to {OLD}, or to one that works")
    assert not planned(decide(seen, over, Policy()))
    assert END not in actions(seen, over), "it stays for a person to look at"


def test_one_that_answers_after_all_lets_a_failed_move_go_on() -> None:
    assert step_of(tried(ready_to_move()), NOW + timedelta(hours=1)).moves == (API_SERVER,)


def test_or_all_goes_back_by_itself_and_it_is_let_go() -> None:
    seen = tried(ready_to_move(onFailure="Rollback"), failure=REFUSED)
    over = NOW + timedelta(seconds=301)
    assert step_of(seen, over).failed is not None
    _, status = look(seen, over)
    back = replace(seen, cluster=replace(seen.cluster, status=status))
    assert END in actions(back, over)
    assert step_of(back, over).moves == (ETCD,)
    assert not trials(back, over)


def test_the_time_of_one_that_others_could_not_let_start_does_not_run() -> None:
    seen = tried(ready_to_move(), failure=REFUSED)
    hour = NOW + timedelta(hours=1)
    seen = replace(seen, ready_since=hour, probed=ProbeSeen(hour, NEW))
    assert told(seen, hour + timedelta(seconds=299))[0] == words.AWAITING_HEALTH
    assert told(seen, hour + timedelta(seconds=301))[0] == words.UPGRADE_FAILED


def test_its_time_stands_while_its_host_is_away_and_begins_anew_elsewhere() -> None:
    seen = replace(tried(ready_to_move(), how={}), hosts={"h1": HostSeen("a", is_ready=False, takes_pods=True)})
    hour = NOW + timedelta(hours=1)
    assert told(seen, hour) == (words.AWAITING_HEALTH, f"{BEFORE}host h1 is away, and its time stands")
    back = replace(seen, hosts={})
    assert told(back, hour)[0] == words.UPGRADE_FAILED
    trial = next(each for each in back.pods if "trial" in each.metadata.name)
    born = replace(trial, metadata=replace(trial.metadata, creation_timestamp=hour))
    pods = (*(each for each in back.pods if each is not trial), born)
    elsewhere = replace(back, pods=pods)
    assert told(elsewhere, hour + timedelta(seconds=299))[0] == words.AWAITING_HEALTH
    assert told(elsewhere, hour + timedelta(seconds=301))[0] == words.UPGRADE_FAILED


def test_it_is_let_go_once_the_others_have_moved() -> None:
    seen = tried(ready_to_move())
    _, status = look(seen)
    then = replace(seen, cluster=replace(seen.cluster, status=status))
    assert END in actions(then)
    gone = replace(then, live={**then.live, ("Deployment", END.name): Live(END.uid, "as-left", deleting=True)})
    assert END not in actions(gone)


def test_one_of_another_wish_counts_for_nothing_and_goes_first() -> None:
    seen = tried(ready_to_move())
    mark = ("Deployment", END.name)
    other = replace(seen, live={**seen.live, mark: replace(seen.live[mark], mark="of another wish")})
    assert told(other) == (words.AWAITING_HEALTH, f"{BEFORE}one that was tried before goes first")
    assert END in actions(other)
    assert not trials(other)


def test_one_of_a_wish_that_was_taken_back_goes() -> None:
    seen = tried(ready_to_move())
    assert END in actions(where(seen, {ETCD: NEW}, OLD))


def test_the_way_back_to_what_all_masters_were_of_is_not_tried() -> None:
    both = {API_SERVER: NEW, ETCD: NEW}
    seen = settled(where(ready_to_move(), both, OLD))
    assert step_of(seen).moves == (API_SERVER,)


def test_nothing_is_tried_while_no_client_is_served() -> None:
    seen = ready_to_move()
    silent = replace(seen, probed=ProbeSeen(NOW, "", "no answer"))
    assert not trials(silent)


def test_a_package_version_that_asks_for_no_look_at_the_endpoint_asks_for_no_trial() -> None:
    seen = ready_to_move()
    package = seen.packages[NEW]
    components = tuple(
        replace(each, checks=ComponentChecks(after=())) if each.name == API_SERVER else each
        for each in package.spec.components
    )
    plain = replace(package, spec=replace(package.spec, components=components))
    assert step_of(replace(seen, packages={**seen.packages, NEW: plain})).moves == (API_SERVER,)


def test_masters_that_are_made_for_the_first_time_are_not_tried() -> None:
    assert not trials(new())
    assert not trials(running(cluster()))


def test_a_cluster_whose_turn_has_gone_keeps_the_one_it_tries() -> None:
    seen = tried(wishing(overrides=[{"name": API_SERVER, "args": {"v": "4"}}], to=NEW, at=NEW), how={})
    held = replace(seen, place=Place(may_begin=False, at_once=5))
    assert told(held)[0] == words.QUEUED
    assert END not in actions(held)


def test_it_goes_with_the_api_servers_when_the_cluster_is_deleted() -> None:
    seen = tried(ready_to_move())
    meta = replace(seen.cluster.metadata, deletion_timestamp=NOW)
    rest = {mark: each for mark, each in seen.live.items() if "controller-manager" not in mark[1]}
    rest = {mark: each for mark, each in rest.items() if mark != ("Deployment", "demo-scheduler")}
    pods = tuple(each for each in seen.pods if "apiserver-trial" in each.metadata.name)
    going = replace(seen, cluster=replace(seen.cluster, metadata=meta), live=rest, pods=pods)
    assert "demo-apiserver-trial" in {each.name for each in actions(going) if isinstance(each, Remove)}
    left = replace(going, live={})
    found = decide(left, NOW, Policy()).verdict
    assert found is not None
    assert found.message == "removing the API server: demo-apiserver-trial-1 on h1"
