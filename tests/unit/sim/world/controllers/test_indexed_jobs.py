"""Completions that have numbers: how they are written, who works on which, and who waits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from homeostat.api.meta import ObjectMeta
from homeostat.sim.world.controllers.jobs.counting import FINALIZER, count
from homeostat.sim.world.controllers.jobs.deciding import Birth, Plan, decide
from homeostat.sim.world.controllers.jobs.indexes import FAILURES, IGNORED, INDEX, read_indexes, write_indexes
from homeostat.sim.world.controllers.jobs.policies import Looked
from homeostat.sim.world.kinds.jobs import (
    ExitCodes,
    FailurePolicy,
    FailureRule,
    Job,
    JobSpec,
    JobStatus,
    SuccessPolicy,
    SuccessRule,
)
from homeostat.sim.world.kinds.pods import Pod, PodCondition, PodSpec, PodStatus

NOW = datetime(2026, 1, 1, tzinfo=UTC)
IGNORE_SEVEN = FailurePolicy(rules=(FailureRule(action="Ignore", on_exit_codes=ExitCodes(values=(7,))),))


def job(status: JobStatus = JobStatus(), **spec: Any) -> Job:  # noqa: B008  (a frozen value)
    whole: dict[str, Any] = {
        "completion_mode": "Indexed",
        "completions": 3,
        "parallelism": 3,
        "backoff_limit": 2**31 - 1,
        **spec,
    }
    return Job(ObjectMeta(name="once", uid="j"), JobSpec(**whole), status)


def pod(
    index: int, phase: str = "Running", *, failures: int = 0, ignored: int = 0, ago_s: float = 0, name: str = ""
) -> Pod:
    marks = {INDEX: str(index), FAILURES: str(failures), IGNORED: str(ignored)}
    name = name or f"p{index}-{failures + ignored}"
    meta = ObjectMeta(name=name, uid=name, finalizers=(FINALIZER,), annotations=marks, creation_timestamp=NOW)
    since = NOW - timedelta(seconds=ago_s)
    ready = PodCondition("Ready", "False", last_transition_time=since)
    return Pod(meta, PodSpec("node"), PodStatus(phase=phase, conditions=(ready,)))


def planned(of: Job, *pods: Pod, looked: Looked = Looked()) -> Plan:  # noqa: B008
    return decide(of, count(of, pods, looked), pods, NOW, looked)


@given(st.frozensets(st.integers(0, 40)))
def test_indexes_are_read_as_they_were_written(indexes: frozenset[int]) -> None:
    assert read_indexes(write_indexes(indexes), 41) == indexes


def test_three_in_a_row_are_a_span_and_what_there_is_not_is_left_out() -> None:
    assert write_indexes(frozenset({0, 1, 3, 4, 5, 9})) == "0,1,3-5,9"
    assert read_indexes("0-2,4,7-99,x", 9) == {0, 1, 2, 4, 7, 8}


def test_the_first_indexes_that_nobody_works_on_are_next() -> None:
    done = JobStatus(start_time=NOW, completed_indexes="1")
    assert planned(job(done, completions=9), pod(0)).births == (Birth(2), Birth(3))


def test_of_two_at_one_index_and_of_one_at_none_only_one_stays() -> None:
    kept, other, stray = pod(0, name="b"), pod(0, name="a"), pod(5, name="c")
    plan = planned(job(), kept, other, stray)
    assert {each.metadata.name for each in plan.end} == {"a", "c"}


def test_an_index_that_may_fail_waits_for_itself_alone_and_its_pod_carries_the_count() -> None:
    of, failed = job(backoff_limit_per_index=3), pod(0, "Failed", failures=1, ago_s=5)
    plan = planned(of, failed, pod(1), pod(2))
    assert (plan.births, plan.after_s) == ((), 15.0)
    assert plan.status.failed == 0  # it is kept, with its finalizer, until another one carries on the count
    late = pod(0, "Failed", failures=1, ago_s=25)
    assert planned(of, late, pod(1), pod(2)).births == (Birth(0, 2),)
    carried = planned(of, late, pod(0, failures=2), pod(1), pod(2))
    assert carried.status.uncounted_terminated_pods is not None
    assert carried.status.uncounted_terminated_pods.failed == (late.metadata.uid,)


def test_a_failure_that_is_ignored_does_not_count_and_is_waited_for_all_the_same() -> None:
    of = job(backoff_limit_per_index=1, pod_failure_policy=IGNORE_SEVEN)
    failed = pod(0, "Failed", failures=1, ignored=1, ago_s=100)
    looked = Looked({failed.metadata.uid: (("main", 7),)})
    plan = planned(of, failed, pod(1), pod(2), looked=looked)
    assert plan.births == (Birth(0, 1, 2),)
    assert plan.status.failed_indexes == ""
    assert planned(of, failed, pod(1), pod(2)).status.failed_indexes == "0"


def test_a_failure_that_is_ignored_lets_no_job_fail() -> None:
    of = job(backoff_limit=0, pod_failure_policy=IGNORE_SEVEN, completions=1, parallelism=1)
    failed = pod(0, "Failed", ago_s=100)
    looked = Looked({failed.metadata.uid: (("main", 7),)})
    plan = planned(of, failed, looked=looked)
    assert (plan.status.conditions, plan.births) == ((), (Birth(0),))
    assert planned(of, failed).status.conditions[0].reason == "BackoffLimitExceeded"


def test_enough_is_enough_and_those_that_still_work_are_ended() -> None:
    policy = SuccessPolicy(rules=(SuccessRule(succeeded_count=1),))
    working = pod(1)
    plan = planned(job(success_policy=policy), pod(0, "Succeeded"), working, pod(2))
    assert (plan.status.conditions[0].type, plan.status.conditions[0].reason) == ("SuccessCriteriaMet", "SuccessPolicy")
    assert [each.metadata.name for each in plan.end] == ["p1-0", "p2-0"]


def test_containers_that_are_restarted_too_often_let_a_job_fail() -> None:
    of = job(backoff_limit=2, completions=1)
    assert planned(of, pod(0), looked=Looked(restarts=1)).status.conditions == ()
    assert planned(of, pod(0), looked=Looked(restarts=2)).status.conditions[0].reason == "BackoffLimitExceeded"
