"""Many clusters of a cell fall ill at once, or the cell is slow: healing stands back, says so, and goes on in turn.

Kubelets start again what hangs, sooner or later. Here they are so patient that nobody but homeostat does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import yaml
from tests.support.business import EXAMPLES, declared, homeostat, wait_ready
from tests.support.datacentre import Centre, eventually
from tests.support.leading import Leader
from tests.support.masters import Masters, Whole
from tests.support.slowing import slow_cell

from homeostat.local.hosts.shell import CommandFailed

pytestmark = [pytest.mark.real, pytest.mark.soak]  # healing takes its time on purpose

NAMESPACE, PATIENT, SMALL = "real-storms", "v1.35.4-patient", "v1.35.4-small"
NAMES = ("ash", "elm", "fir", "oak", "yew")
CROWD = tuple(
    f"new-{number:02}" for number in range(12)
)  # three times as many as are created at once on two processors
SERVER, SCHEDULER = "kube-apiserver", "kube-scheduler"
PACE, CALM_S = timedelta(seconds=60), 20
NEVER = {"periodSeconds": 60, "failureThreshold": 60}
LATE = {"periodSeconds": 5, "failureThreshold": 120}
Say = Callable[[str], None]
Fleet = dict[str, Masters]


@pytest.fixture(scope="module")
def fleet(centre: Centre) -> Iterator[Fleet]:
    """Five small clusters, declared at once."""
    centre.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(patient()))
    centre.kubectl("create", "namespace", NAMESPACE)
    clusters = "\n---\n".join(declared(name, packageVersion=PATIENT) for name in NAMES)
    homeostat(centre, "apply", "-n", NAMESPACE, "-f", "-", stdin=clusters)
    for name in NAMES:
        wait_ready(centre, NAMESPACE, name)
    yield {name: Masters(centre, NAMESPACE, name) for name in NAMES}
    centre.kubectl("delete", "clusters", "--all", "-n", NAMESPACE, "--timeout=180s")
    centre.kubectl("delete", "namespace", NAMESPACE, "--timeout=60s")
    centre.kubectl("delete", "cpv", PATIENT)


def patient() -> Whole:
    """The package version for small clusters, with kubelets of endless patience, and that believe schedulers."""
    package: Whole = yaml.safe_load((EXAMPLES / "packageversions" / "v1.35.4-small.yaml").read_text())
    package["metadata"]["name"] = PATIENT
    for each in package["spec"]["components"]:
        each["probes"]["liveness"] = NEVER
        if each["name"] == SCHEDULER:
            each["probes"]["readiness"] = LATE
    return package


def servers(fleet: Fleet) -> dict[str, Whole]:
    """The one API server of each cluster; one that is on its way out does not count."""
    return {name: masters.pods(SERVER)[0] for name, masters in fleet.items()}


def uids(fleet: Fleet) -> dict[str, str]:
    return {name: pod["metadata"]["uid"] for name, pod in servers(fleet).items()}


def reason(masters: Masters) -> str:
    return str(masters.condition("APIServerReady")["reason"])


def begun(masters: Masters) -> datetime:
    (told,) = masters.restarts(SERVER)
    return datetime.fromisoformat(told["startedAt"])


def is_replaced(masters: Masters, before: str, component: str = SERVER) -> bool:
    ready = masters.ready(component)
    return bool(ready) and before not in ready


def stay(seconds: float, claim: Callable[[], bool]) -> None:
    """It is so all the time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        assert claim()


def test_many_that_stop_at_once_are_left_alone_and_those_that_do_not_recover_are_replaced_in_turn(
    centre: Centre, fleet: Fleet, say: Say
) -> None:
    leader, before, pods = Leader(centre), uids(fleet), servers(fleet)
    well, ill = NAMES[:3], NAMES[3:]
    for name, masters in fleet.items():
        masters.signal(pods[name], "STOP")
    stopped = time.monotonic()
    eventually(lambda: {reason(masters) for masters in fleet.values()} == {"HealingFrozen"}, within_s=120)
    say(f"five API servers stop: healing is frozen, and all say so, after {time.monotonic() - stopped:.0f} s")
    assert "clusters of the cell look sick at once" in fleet[NAMES[0]].condition("APIServerReady")["message"]
    assert leader.value("healing_frozen", why="MassFailure") == 1
    stay(CALM_S, lambda: uids(fleet) == before)
    for name in well:
        fleet[name].signal(pods[name], "CONT")
    recovered = time.monotonic()
    eventually(lambda: leader.value("healing_frozen", why="MassFailure") == 0, within_s=60)
    say(f"three are well again: the freeze ends after {time.monotonic() - recovered:.0f} s")
    eventually(lambda: "HealingBudgetSpent" in {reason(fleet[name]) for name in ill}, within_s=120)
    eventually(lambda: all(is_replaced(fleet[name], before[name]) for name in ill), within_s=240)
    first, second = sorted(begun(fleet[name]) for name in ill)
    say(f"the two that are not are replaced {(second - first).total_seconds():.0f} s apart")
    for name in NAMES:
        wait_ready(centre, NAMESPACE, name)
    assert second - first >= PACE
    assert {name: [each["attempts"] for each in fleet[name].restarts(SERVER)] for name in NAMES} == {
        **{name: [] for name in well},
        **{name: [1] for name in ill},
    }
    assert {name: uid for name, uid in uids(fleet).items() if name in well} == {name: before[name] for name in well}
    assert leader.value("healing_budget_left") <= 3
    assert leader.value("healing_restarts_total", component=SERVER, reason="Unready") >= 2


def test_while_the_cells_api_server_is_slow_nobody_is_restarted_and_after_a_calm_those_left_go_in_turn(
    centre: Centre, fleet: Fleet, say: Say
) -> None:
    before, pods, ill, leaders = uids(fleet), servers(fleet), NAMES[:2], Leader(centre).changes

    def frozen() -> float | None:
        """By the word of whoever leads; None while one that waited too long for its Lease begins anew."""
        try:
            return Leader(centre).value("healing_frozen", why="SlowCell")
        except CommandFailed:
            return None

    with slow_cell(centre):
        slow = time.monotonic()
        eventually(lambda: frozen() == 1, within_s=180)
        say(f"the cell's API server is slow: healing is frozen after {time.monotonic() - slow:.0f} s")
        for name in ill:
            fleet[name].signal(pods[name], "STOP")
        eventually(lambda: {reason(fleet[name]) for name in ill} == {"HealingFrozen"}, within_s=180)
        assert "the cell's API server is slow" in fleet[ill[0]].condition("APIServerReady")["message"]
        stay(2 * CALM_S, lambda: uids(fleet) == before)
        assert [fleet[name].restarts(SERVER) for name in ill] == [[], []]
    quick = time.monotonic()
    eventually(lambda: frozen() == 0, within_s=180)
    calm = time.monotonic() - quick
    eventually(lambda: all(is_replaced(fleet[name], before[name]) for name in ill), within_s=300)
    first, second = sorted(begun(fleet[name]) for name in ill)
    say(
        f"it is quick again: the freeze ends after {calm:.0f} s, and those left ill are replaced"
        f" {(second - first).total_seconds():.0f} s apart; the operator's leader changed"
        f" {Leader(centre).changes - leaders} times"
    )
    for name in NAMES:
        wait_ready(centre, NAMESPACE, name)
    assert calm >= CALM_S
    assert second - first >= PACE
    assert {name: uid for name, uid in uids(fleet).items() if name not in ill} == {
        name: uid for name, uid in before.items() if name not in ill
    }


def test_a_scheduler_that_hangs_behind_a_good_readiness_is_found_by_its_lease_alone(fleet: Fleet, say: Say) -> None:
    hung = fleet[NAMES[2]]
    (victim,) = hung.pods(SCHEDULER)
    uid = victim["metadata"]["uid"]
    hung.rewrite_restarts(long_ago)
    hung.signal(victim, "STOP")
    stopped = time.monotonic()
    eventually(lambda: is_replaced(hung, uid, SCHEDULER), within_s=240)
    say(f"a scheduler that its kubelet finds ready hangs: replaced after {time.monotonic() - stopped:.0f} s")
    wait_ready(hung.centre, NAMESPACE, hung.name)
    (told,) = hung.restarts(SCHEDULER)
    assert (told["podUid"], told["attempts"]) == (uid, 1)
    assert "is ready, but has not renewed the leader's Lease" in told["reason"]


def test_what_a_person_must_look_at_takes_nothing_from_the_budget_of_the_others(
    centre: Centre, fleet: Fleet, say: Say
) -> None:
    leader, broken, other = Leader(centre), fleet[NAMES[2]], fleet[NAMES[3]]
    for masters in fleet.values():
        masters.rewrite_restarts(long_ago)
    first = uids(fleet)[broken.name]
    broken.signal(servers(fleet)[broken.name], "STOP")
    eventually(lambda: is_replaced(broken, first), within_s=240)
    eventually(lambda: "endedAt" in broken.restarts(SERVER)[0], within_s=120)
    broken.rewrite_restarts(lambda each: {**long_ago(each), "attempts": 4})  # as if three more had not helped
    eventually(lambda: "endedAt" in broken.restarts(SERVER)[0], within_s=60)
    last, before = servers(fleet)[broken.name], uids(fleet)
    broken.signal(last, "STOP")
    eventually(lambda: reason(broken) == "HandedOver", within_s=240)
    assert "4 restarts did not help" in broken.condition("APIServerReady")["message"]
    eventually(lambda: leader.value("healing_handed_over") == 1, within_s=30)
    assert leader.value("healing_budget_left") == 5, {name: masters.status() for name, masters in fleet.items()}
    other.signal(servers(fleet)[other.name], "STOP")
    stopped = time.monotonic()
    eventually(lambda: is_replaced(other, before[other.name]), within_s=240)
    say(f"beside a cluster that is handed over, another one is mended after {time.monotonic() - stopped:.0f} s")
    assert (uids(fleet)[broken.name], reason(broken)) == (before[broken.name], "HandedOver")
    assert leader.value("healing_budget_left") == 4, other.status()
    broken.signal(last, "CONT")
    for name in NAMES:
        wait_ready(centre, NAMESPACE, name)
    eventually(lambda: leader.value("healing_handed_over") == 0, within_s=60)


def test_who_is_ill_is_healed_first_and_who_moves_is_there_before_many_new_ones_are_made(
    centre: Centre, fleet: Fleet, say: Say
) -> None:
    for masters in fleet.values():
        masters.rewrite_restarts(long_ago)
    ill, mover, before = fleet[NAMES[4]], fleet[NAMES[3]], uids(fleet)
    crowd = "\n---\n".join(declared(name, packageVersion=SMALL) for name in CROWD)
    homeostat(centre, "apply", "-n", NAMESPACE, "-f", "-", stdin=crowd)
    mover.patch(f'{{"packageVersion": "{SMALL}"}}')
    ill.signal(servers(fleet)[ill.name], "STOP")
    began, after, waiting = time.monotonic(), dict[str, float](), 0
    claims: dict[str, Callable[[], bool]] = {
        "healed": lambda: is_replaced(ill, before[ill.name]),
        "moved": lambda: has_moved(mover, SMALL),
        "made": lambda: not unmade(centre),
    }

    def have_come() -> bool:
        nonlocal waiting
        for what in [each for each in claims if each not in after and claims[each]()]:
            after[what] = time.monotonic() - began
            waiting = len(unmade(centre)) if what == "moved" else waiting
        return len(after) == len(claims)

    eventually(have_come, within_s=900)
    say(
        f"{len(CROWD)} clusters are declared at once: one that falls ill is healed after {after['healed']:.0f} s, one"
        f" that moves is there after {after['moved']:.0f} s, when {waiting} are not made yet, all after"
        f" {after['made']:.0f} s"
    )
    assert list(after) == ["healed", "moved", "made"]
    assert waiting > 0
    for name in NAMES:
        wait_ready(centre, NAMESPACE, name)
    centre.kubectl("delete", "clusters", *CROWD, "-n", NAMESPACE, "--wait=false")
    eventually(lambda: len(centre.get("clusters", "-n", NAMESPACE)["items"]) == len(NAMES), within_s=400)


def has_moved(masters: Masters, to: str) -> bool:
    """Whether all masters are of a package version."""
    told = masters.condition("UpToDate")
    return (masters.status()["packageVersion"], told["reason"]) == (to, "AsDeclared")


def unmade(centre: Centre) -> list[str]:
    """Which of the crowd were never Ready."""
    clusters = {
        one["metadata"]["name"]: one.get("status", {}) for one in centre.get("clusters", "-n", NAMESPACE)["items"]
    }
    return [name for name in CROWD if "readyAt" not in clusters[name]]


def long_ago(restart: Whole) -> Whole:
    """The same story, hours ago: it holds no budget, and makes nobody wait. The operator says anew when it was over."""
    began = {"startedAt": f"{datetime.now(UTC) - timedelta(hours=7):%FT%TZ}", "earlier": []}
    return {name: value for name, value in restart.items() if name != "endedAt"} | began
