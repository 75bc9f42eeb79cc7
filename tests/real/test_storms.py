"""Many clusters of a cell fall ill at once: healing stands back, says so, and goes on in turn.

Kubelets start again what hangs, sooner or later. Here they are so patient that nobody but homeostat does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
import yaml
from tests.support.business import EXAMPLES, declared, homeostat, wait_ready
from tests.support.datacentre import Centre, eventually
from tests.support.leading import Leader
from tests.support.masters import Masters, Whole

pytestmark = [pytest.mark.real, pytest.mark.soak]  # healing takes its time on purpose

NAMESPACE, PATIENT = "real-storms", "v1.35.4-patient"
NAMES = ("ash", "elm", "fir", "oak", "yew")
SERVER = "kube-apiserver"
PACE, CALM_S = timedelta(seconds=60), 20
NEVER = {"periodSeconds": 60, "failureThreshold": 60}
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
    """The package version for small clusters, with kubelets of endless patience."""
    package: Whole = yaml.safe_load((EXAMPLES / "packageversions" / "v1.35.4-small.yaml").read_text())
    package["metadata"]["name"] = PATIENT
    for each in package["spec"]["components"]:
        each["probes"]["liveness"] = NEVER
    return package


def servers(fleet: Fleet) -> dict[str, Whole]:
    """The one API server of each cluster; one that is on its way out does not count."""
    return {name: masters.pods(SERVER)[0] for name, masters in fleet.items()}


def uids(fleet: Fleet) -> dict[str, str]:
    return {name: pod["metadata"]["uid"] for name, pod in servers(fleet).items()}


def reason(masters: Masters) -> str:
    return str(masters.condition("APIServerReady")["reason"])


def restarts(masters: Masters, component: str = SERVER) -> list[Whole]:
    """What is told of restarts of a component: one, or none."""
    told = masters.status().get("healing", {}).get("restarts", [])
    return [each for each in told if each["component"] == component]


def begun(masters: Masters) -> datetime:
    (told,) = restarts(masters)
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
    assert {name: [each["attempts"] for each in restarts(fleet[name])] for name in NAMES} == {
        **{name: [] for name in well},
        **{name: [1] for name in ill},
    }
    assert {name: uid for name, uid in uids(fleet).items() if name in well} == {name: before[name] for name in well}
    assert leader.value("healing_budget_left") <= 3
    assert leader.value("healing_restarts_total", component=SERVER, reason="Unready") >= 2
