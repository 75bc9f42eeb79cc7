"""What is told of a cell as a whole: always the same as if all Clusters were counted anew."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.support.clock import ManualClock
from tests.support.clusters import NOW, cluster, pod, running

from homeostat.api.cluster.certificates import ClusterCertificateStatus
from homeostat.api.cluster.healing import ClusterHealingStatus, MemberReplacementStatus
from homeostat.api.cluster.v1alpha1 import Cluster
from homeostat.api.meta import Condition
from homeostat.api.pods import Pod
from homeostat.operators.cluster import words
from homeostat.operators.cluster.fleet import Fleet
from homeostat.operators.cluster.healing.cell import CellPolicy
from homeostat.operators.cluster.measuring import MeasuredProbe
from homeostat.operators.cluster.ports import Direct, Served, Unreachable
from homeostat.telemetry.metrics import Metrics


class Scrape:
    """A fleet, and what a scrape of it shows."""

    def __init__(self) -> None:
        self.metrics, self.clock = Metrics(), ManualClock()
        self.fleet = Fleet(self.metrics, CellPolicy(), clock=self.clock)

    def value(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(f"homeostat_{name}", labels) or 0.0

    def gauges(self) -> dict[tuple[str, ...], float]:
        """Everything counted that is not nothing, but what tells the time."""
        return {
            (sample.name, *sample.labels.values()): sample.value
            for metric in self.metrics.registry.collect()
            for sample in metric.samples
            if sample.value and "seconds" not in sample.name
        }


def in_state(name: str, state: str) -> Cluster:
    """A Cluster in one of the states of its life."""
    made = running(cluster(name)).cluster
    match state:
        case "new":
            return cluster(name)
        case "creating":
            return replace(made, status=replace(made.status, ready_at=None, phase="Provisioning"))
        case "sick":
            worse = Condition(type=words.ETCD_READY, status="False", reason="Crashing", last_transition_time=NOW)
            others = tuple(each for each in made.status.conditions if each.type != words.ETCD_READY)
            return replace(made, status=replace(made.status, phase="Degraded", conditions=(worse, *others)))
        case "deleted":
            gone = replace(made.metadata, deletion_timestamp=NOW)
            return replace(made, metadata=gone, status=replace(made.status, phase="Deleting"))
        case _:
            return replace(made, status=replace(made.status, phase="Ready", kubernetes_version="v1.35.4"))


STATES = ("new", "creating", "ready", "sick", "deleted", "")  # the last: there is none


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(STATES)), max_size=20))
def test_counting_changes_is_counting_all(changes: list[tuple[str, str]]) -> None:
    kept, now = Scrape(), {"a": "", "b": "", "c": ""}
    for name, state in changes:
        old = in_state(name, now[name]) if now[name] else None
        new = in_state(name, state) if state else None
        if old is not None or new is not None:
            kept.fleet.note(old, new)
        now[name] = state
    anew = Scrape()
    for name, state in now.items():
        if state:
            anew.fleet.note(None, in_state(name, state))
    assert kept.gauges() == anew.gauges()


def test_clusters_are_counted_by_phase_version_and_conditions() -> None:
    scrape = Scrape()
    for name, state in (("a", "ready"), ("b", "ready"), ("c", "sick"), ("d", "new")):
        scrape.fleet.note(None, in_state(name, state))
    assert scrape.value("clusters", phase="Ready", version="v1.35.4") == 2
    assert scrape.value("clusters", phase="Pending", version="") == 1
    assert scrape.value("cluster_conditions", condition="EtcdReady", status="False", reason="Crashing") == 1
    assert scrape.value("cell_clusters") == 3
    assert scrape.value("cell_sick_clusters") == 1
    assert scrape.value("healing_frozen", why="MassFailure") == 0


async def test_the_oldest_orchestration_tells_its_age() -> None:
    scrape = Scrape()
    for name in ("a", "b"):
        scrape.fleet.note(None, in_state(name, "creating"))
    later = replace(in_state("b", "creating"), status=replace(in_state("b", "creating").status, started_at=NOW))
    scrape.fleet.note(in_state("b", "creating"), later)
    await scrape.clock.advance(90)
    assert scrape.value("orchestrations_running", operation="create") == 2
    assert scrape.value("orchestration_longest_running_seconds", operation="create") == 90
    for name in ("a", "b"):
        scrape.fleet.note(in_state(name, "creating"), in_state(name, "ready"))
    assert scrape.value("orchestrations_running", operation="create") == 0
    assert scrape.value("orchestration_longest_running_seconds", operation="create") == 0


async def test_replacements_of_the_window_are_taken_from_the_budget() -> None:
    scrape = Scrape()
    assert scrape.value("healing_budget_left") == 5
    made = in_state("a", "ready")
    began = NOW - timedelta(minutes=9)
    told = MemberReplacementStatus(member="a-etcd-0", member_id="1", claim_uid="", started_at=began)
    healing = ClusterHealingStatus(replacement=told, last_started_at=began, attempts=1)
    scrape.fleet.note(None, replace(made, status=replace(made.status, healing=healing)))
    assert scrape.value("healing_budget_left") == 4
    assert scrape.value("orchestrations_running", operation="heal") == 1
    await scrape.clock.advance(120)
    assert scrape.value("healing_budget_left") == 5


def test_a_cell_that_is_slow_freezes_healing_and_that_is_told() -> None:
    metrics, clock = Metrics(), ManualClock()
    fleet = Fleet(metrics, CellPolicy(), clock=clock, is_slow=lambda: True)
    assert fleet.health.look(clock.now()).why_frozen(CellPolicy()) != ""
    assert metrics.registry.get_sample_value("homeostat_healing_frozen", {"why": "SlowCell"}) == 1
    assert metrics.registry.get_sample_value("homeostat_healing_frozen", {"why": "MassFailure"}) == 0


def restarted(times: int, reason: str = "", uid: str = "u") -> Pod:
    container: dict[str, Any] = {"name": "c", "restartCount": times}
    if reason:
        container["lastState"] = {"terminated": {"reason": reason, "exitCode": 1}}
    made = pod("etcd", containerStatuses=[container])
    return replace(made, metadata=replace(made.metadata, uid=uid))


@pytest.mark.parametrize(("said", "told"), [("OOMKilled", "OOMKilled"), ("Weird-7f3a", "Other"), ("", "Other")])
def test_restarts_are_counted_by_a_few_reasons(said: str, told: str) -> None:
    scrape = Scrape()
    scrape.fleet.note_pod(restarted(1), restarted(3, said))
    assert scrape.value("master_restarts_total", component="etcd", reason=told) == 2


def test_what_happened_before_it_was_seen_is_no_restart() -> None:
    scrape = Scrape()
    scrape.fleet.note_pod(None, restarted(7))
    scrape.fleet.note_pod(restarted(0), restarted(5, uid="its successor"))
    scrape.fleet.note_pod(restarted(7), None)
    assert "master_restarts" not in scrape.metrics.expose().decode()


class Endpoint:
    def __init__(self, clock: ManualClock, failure: str = "") -> None:
        self.clock, self.failure, self.forgotten = clock, failure, b""

    async def probe(self, kubeconfig: bytes, direct: Direct | None = None) -> Served:
        await self.clock.advance(0.25)
        if self.failure:
            raise Unreachable(self.failure)
        return Served("v1.35.4")

    async def kubelets(self, kubeconfig: bytes) -> frozenset[str]:
        return frozenset({kubeconfig.decode()})

    async def rewrite_secrets(self, kubeconfig: bytes, after: str) -> str:
        return f"{kubeconfig.decode()} after {after}"

    def forget(self, kubeconfig: bytes) -> None:
        self.forgotten = kubeconfig


def test_a_probe_that_is_measured_forgets_what_it_is_told_to_forget() -> None:
    clock = ManualClock()
    asked = Endpoint(clock)
    MeasuredProbe(asked, Metrics(), clock=clock).forget(b"demo")
    assert asked.forgotten == b"demo"


async def test_probes_tell_how_they_ended_and_how_long_they_took() -> None:
    metrics, clock = Metrics(), ManualClock()
    good, bad = (MeasuredProbe(Endpoint(clock, why), metrics, clock=clock) for why in ("", "refused"))
    assert (await good.probe(b"")).version == "v1.35.4"
    with pytest.raises(Unreachable):
        await bad.probe(b"")
    await good.probe(b"", Direct("https://10.0.0.1:6443", "demo"))
    assert await good.kubelets(b"v1.34.4") == {"v1.34.4"}
    assert await good.rewrite_secrets(b"page", "1") == "page after 1"
    for target, result in (("endpoint", "answered"), ("endpoint", "failed"), ("server", "answered")):
        labels = {"target": target, "result": result}
        taken = metrics.registry.get_sample_value("homeostat_probe_duration_seconds_sum", labels)
        assert taken == 0.25


def test_the_certificate_of_a_cell_that_runs_out_first_is_told_by_authority() -> None:
    scrape = Scrape()
    assert scrape.value("cluster_certificate_expiry_timestamp_seconds", authority="ca") == math.inf
    late, soon = NOW + timedelta(days=300), NOW + timedelta(days=9)
    one, two = (with_certificate(running(cluster(name)).cluster, end) for name, end in (("a", late), ("b", soon)))
    scrape.fleet.note(None, one)
    scrape.fleet.note(None, two)
    assert scrape.value("cluster_certificate_expiry_timestamp_seconds", authority="ca") == soon.timestamp()
    scrape.fleet.note(two, None)
    assert scrape.value("cluster_certificate_expiry_timestamp_seconds", authority="ca") == late.timestamp()


def with_certificate(of: Cluster, end: datetime) -> Cluster:
    told = ClusterCertificateStatus(authority="ca", not_after=NOW + timedelta(days=3650), soonest=end)
    return replace(of, status=replace(of.status, certificates=(told,)))
