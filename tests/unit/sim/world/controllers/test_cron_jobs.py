"""CronJobs make Jobs at their times, as many beside each other as they may, and keep few that are over."""

from __future__ import annotations

from typing import Any

from tests.support.controllers import Site, working
from tests.support.workloads import cron_job
from tests.support.world import CRON_JOBS, JOBS

from homeostat.sim.world.controllers.cronjobs.controller import add_cron_jobs

NAME, SPACE = "tick", "default"
OK = {"type": "Complete", "status": "True"}
BAD = {"type": "Failed", "status": "True"}
AT = "batch.kubernetes.io/cronjob-scheduled-timestamp"


async def times(site: Site) -> list[str]:
    """Of the Jobs that are there: hours and minutes for which they were made."""
    found = [each["metadata"]["annotations"][AT] for each in await site.all(JOBS, SPACE)]
    return sorted(each.partition("T")[2][:5] for each in found)


async def status(site: Site) -> dict[str, Any]:
    found: dict[str, Any] = (await site.get(CRON_JOBS, NAME, SPACE))["status"]
    return found


async def finish(site: Site, *conditions: dict[str, str], which: int = 0) -> None:
    """Let a Job be over."""
    job = sorted(await site.all(JOBS, SPACE), key=lambda each: each["metadata"]["annotations"][AT])[which]
    now = site.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    done = {"completionTime": now} if OK in conditions else {}
    told = {"startTime": now, "conditions": list(conditions), **done}
    await site.set_status(JOBS, job["metadata"]["name"], told, SPACE)
    await site.rest()


async def minutes(site: Site, number: int) -> None:
    """So many, and a moment: a Job is made when its moment is over."""
    for _ in range(number):
        await site.pass_time(60)
    await site.pass_time(0.5)


async def test_a_job_is_made_at_each_moment_and_belongs_to_its_cron_job() -> None:
    async with working(add_cron_jobs) as site:
        labels = {"metadata": {"labels": {"a": "b"}, "annotations": {"c": "d"}}}
        cron = await site.make(CRON_JOBS, cron_job(NAME, "*/2 * * * *", job=labels), SPACE)
        await minutes(site, 5)

        assert await times(site) == ["00:02", "00:04"]
        job = (await site.all(JOBS, SPACE))[0]
        meta = job["metadata"]
        assert meta["name"] == f"{NAME}-{int(site.clock.now().timestamp()) // 60 - 3}"
        assert meta["annotations"] == {"c": "d", AT: "2026-01-01T00:02:00Z"}
        assert meta["labels"]["a"] == "b"
        assert [each["uid"] for each in meta["ownerReferences"]] == [cron["metadata"]["uid"]]
        told = await status(site)
        assert [each["uid"] for each in told["active"]] == [
            each["metadata"]["uid"] for each in await site.all(JOBS, SPACE)
        ]
        assert told["lastScheduleTime"] == "2026-01-01T00:04:00Z"


async def test_between_two_moments_nothing_is_written() -> None:
    async with working(add_cron_jobs) as site:
        await site.make(CRON_JOBS, cron_job(NAME, "0 12 * * *"), SPACE)
        at_rest = site.revision
        await site.pass_time(11 * 3600)
        assert site.revision == at_rest
        await site.pass_time(3601)
        assert await times(site) == ["12:00"]


async def test_a_moment_is_one_of_the_zone() -> None:
    async with working(add_cron_jobs) as site:
        await site.make(CRON_JOBS, cron_job(NAME, "30 2 * * *", timeZone="Europe/Berlin"), SPACE)
        await site.pass_time(3600)
        assert await times(site) == []
        await site.pass_time(1801)
        job = (await site.all(JOBS, SPACE))[0]
        assert job["metadata"]["annotations"][AT] == "2026-01-01T02:30:00+01:00"
        assert (await status(site))["lastScheduleTime"] == "2026-01-01T01:30:00Z"


async def test_where_one_is_enough_no_other_begins_and_what_was_missed_follows() -> None:
    async with working(add_cron_jobs) as site:
        await site.make(CRON_JOBS, cron_job(NAME, concurrencyPolicy="Forbid"), SPACE)
        await minutes(site, 3)
        assert await times(site) == ["00:01"]
        assert (await status(site))["lastScheduleTime"] == "2026-01-01T00:01:00Z"
        await finish(site, OK)
        assert await times(site) == ["00:01", "00:03"]


async def test_what_was_missed_for_too_long_is_let_be() -> None:
    async with working(add_cron_jobs) as site:
        body = cron_job(NAME, "*/10 * * * *", concurrencyPolicy="Forbid", startingDeadlineSeconds=60)
        await site.make(CRON_JOBS, body, SPACE)
        await minutes(site, 25)
        await finish(site, OK)
        assert await times(site) == ["00:10"]
        await minutes(site, 6)
        assert await times(site) == ["00:10", "00:30"]


async def test_a_new_job_takes_the_place_of_the_old_one_where_it_should() -> None:
    async with working(add_cron_jobs) as site:
        await site.make(CRON_JOBS, cron_job(NAME, concurrencyPolicy="Replace"), SPACE)
        await minutes(site, 3)
        assert await times(site) == ["00:03"]
        assert len((await status(site))["active"]) == 1


async def test_who_is_suspended_makes_none_and_goes_on_with_the_latest_moment() -> None:
    async with working(add_cron_jobs) as site:
        await site.make(CRON_JOBS, cron_job(NAME, suspend=True), SPACE)
        await minutes(site, 5)
        assert await times(site) == []
        await site.client.merge_patch(CRON_JOBS, NAME, {"spec": {"suspend": False}}, SPACE)
        await site.rest()
        assert await times(site) == ["00:05"]


async def test_few_of_those_that_are_over_stay_and_the_last_success_is_told() -> None:
    async with working(add_cron_jobs) as site:
        body = cron_job(NAME, successfulJobsHistoryLimit=2, failedJobsHistoryLimit=1)
        await site.make(CRON_JOBS, body, SPACE)
        await minutes(site, 6)
        for which in (5, 4, 3):
            await finish(site, OK, which=which)
        assert await times(site) == ["00:01", "00:02", "00:03", "00:05", "00:06"]
        for which in (2, 1):
            await finish(site, BAD, which=which)
        assert await times(site) == ["00:01", "00:03", "00:05", "00:06"]
        told = await status(site)
        assert len(told["active"]) == 1
        assert told["lastSuccessfulTime"] == "2026-01-01T00:06:00Z"


async def test_a_job_that_somebody_made_by_hand_is_none_of_the_schedule() -> None:
    async with working(add_cron_jobs) as site:
        cron = await site.make(CRON_JOBS, cron_job(NAME, concurrencyPolicy="Forbid"), SPACE)
        owner = {"apiVersion": "batch/v1", "kind": "CronJob", "name": NAME, "uid": cron["metadata"]["uid"]}
        meta = {"name": "by-hand", "ownerReferences": [owner | {"controller": True}]}
        spec = cron["spec"]["jobTemplate"]["spec"]
        await site.make(JOBS, {"metadata": meta, "spec": spec}, SPACE)
        await minutes(site, 1)
        names = [each["metadata"]["name"] for each in await site.all(JOBS, SPACE)]
        assert len(names) == 2
        assert [each["name"] for each in (await status(site))["active"]] == [
            each for each in names if each != "by-hand"
        ]


async def test_a_job_whose_making_could_not_be_told_is_not_made_twice() -> None:
    async with working(add_cron_jobs) as site:
        await site.make(CRON_JOBS, cron_job(NAME, concurrencyPolicy="Replace"), SPACE)
        await minutes(site, 1)
        made = (await site.all(JOBS, SPACE))[0]["metadata"]["uid"]
        await site.set_status(CRON_JOBS, NAME, {"lastScheduleTime": None, "active": None}, SPACE)
        await site.rest()
        assert [each["metadata"]["uid"] for each in await site.all(JOBS, SPACE)] == [made]
        told = await status(site)
        assert ([each["uid"] for each in told["active"]], told["lastScheduleTime"]) == ([made], "2026-01-01T00:01:00Z")
