"""A Pod of a Job is counted once, wherever its controller was cut off."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from homeostat.api.meta import ObjectMeta
from homeostat.sim.world.controllers.jobs.counting import FINALIZER, count
from homeostat.sim.world.controllers.jobs.deciding import decide, is_finished
from homeostat.sim.world.kinds.jobs import Job, JobSpec, Uncounted
from homeostat.sim.world.kinds.pods import Pod, PodSpec, PodStatus

NOW = datetime(2026, 1, 1, tzinfo=UTC)
OUTCOMES = st.lists(st.sampled_from(("Succeeded", "Failed", "Running")), max_size=6)
CUTS = st.lists(st.integers(0, 6), min_size=1, max_size=8)


def pod(name: str, phase: str) -> Pod:
    meta = ObjectMeta(name=name, uid=name, finalizers=(FINALIZER,), creation_timestamp=NOW)
    return Pod(meta, PodSpec("node"), PodStatus(phase=phase))


def freed(one: Pod) -> Pod:
    return replace(one, metadata=replace(one.metadata, finalizers=()))


@given(outcomes=OUTCOMES, cuts=CUTS, completions=st.integers(1, 6), limit=st.integers(0, 4))
@settings(max_examples=300, deadline=None)
def test_every_pod_is_counted_once_wherever_it_was_cut_off(
    outcomes: list[str], cuts: list[int], completions: int, limit: int
) -> None:
    job = Job(ObjectMeta(name="once", uid="j", generation=1), JobSpec(completions=completions, backoff_limit=limit))
    pods = {f"p{number}": pod(f"p{number}", phase) for number, phase in enumerate(outcomes)}

    for cut in (*cuts, *[99] * 6):
        # So much is done of what was decided: the status first, then one finalizer after the other.
        counts = count(job, list(pods.values()))
        plan = decide(job, counts, list(pods.values()), NOW)
        if cut == 0 or is_finished(job):
            continue
        job = replace(job, status=plan.status)
        for one in counts.written[: cut - 1]:
            pods[one.metadata.name] = freed(one)
        for ended in plan.end if cut == 99 else ():
            pods[ended.metadata.name] = replace(ended, status=PodStatus(phase="Failed"))

    done = job.status
    assert done.uncounted_terminated_pods == Uncounted()
    assert done.succeeded + done.failed == sum(one.is_over for one in pods.values())
    assert done.succeeded == outcomes.count("Succeeded")
