"""Jobs with indexes and policies: sound ones and wrong ones."""

from __future__ import annotations

from typing import Any

from tests.contract.sim.bodies import Body, of

ONCE: Body = {"spec": {"containers": [{"name": "c", "image": "i"}], "restartPolicy": "Never"}}


def job(**spec: Any) -> Body:
    return of("Job", "batch/v1", spec={"template": ONCE, **spec})


def indexed(**spec: Any) -> Body:
    return job(**{"completionMode": "Indexed", "completions": 3, **spec})


def failing(*rules: Body, **spec: Any) -> Body:
    return indexed(podFailurePolicy={"rules": list(rules)}, **spec)


def rule(action: str = "Ignore", **parts: Any) -> Body:
    return {"action": action, **(parts or {"onPodConditions": [{"type": "DisruptionTarget"}]})}


def codes(*values: int, operator: str = "In", **parts: Any) -> Body:
    return {"onExitCodes": {"operator": operator, "values": list(values), **parts}}


def enough(*rules: Body, **spec: Any) -> Body:
    return indexed(successPolicy={"rules": list(rules)}, **spec)


GOOD: dict[str, Body] = {
    "Job with indexes": indexed(),
    "Job with indexes that may fail": indexed(backoffLimitPerIndex=1, maxFailedIndexes=2, parallelism=2),
    "Job with rules of failure": failing(
        rule(),
        rule("FailIndex", **codes(1, 2, containerName="c")),
        rule("FailJob", **codes(0, 3, operator="NotIn")),
        rule("Count", onPodConditions=[{"type": "a/B", "status": "Unknown"}]),
        backoffLimitPerIndex=0,
    ),
    "Job with rules of success": enough({"succeededIndexes": "0,2"}, {"succeededIndexes": "0-2", "succeededCount": 2}),
    "CronJob of Jobs with indexes": of(
        "CronJob", "batch/v1", spec={"schedule": "@daily", "jobTemplate": {"spec": indexed()["spec"]}}
    ),
}
WRONG: dict[str, Body] = {
    "Job with indexes of nothing": indexed(completions=None, parallelism=200000),
    "Job with too many indexes that may fail": indexed(backoffLimitPerIndex=-1, maxFailedIndexes=4),
    "Job with indexes that may fail for ever": indexed(maxFailedIndexes=-1),
    "Job with very many indexes": indexed(completions=100001, parallelism=10001, backoffLimitPerIndex=1),
    "Job without indexes that may fail": job(backoffLimitPerIndex=1, maxFailedIndexes=1),
    "Job with a wrong mode": job(completionMode="Other"),
    "Job with empty rules of failure": failing({}, {"action": "Other"}, {"action": "FailIndex", **codes(1)}),
    "Job with wrong codes": failing(rule("FailJob", **codes(3, 0, 3, containerName="d")), rule("Count", **codes())),
    "Job with a wrong operator": failing(rule("FailJob", **codes(1, operator="")), rule(**codes(1, operator="Or"))),
    "Job with wrong conditions": failing(
        rule(onPodConditions=[{"type": "A b", "status": "No"}, {"type": "", "status": ""}]),
        rule(**codes(1), onPodConditions=[{"type": "A", "status": "True"}]),
    ),
    "Job with rules of failure that starts containers again": job(
        podFailurePolicy={"rules": [rule()]},
        podReplacementPolicy="TerminatingOrFailed",
        template={"spec": {**ONCE["spec"], "restartPolicy": "OnFailure"}},
    ),
    "Job with rules of success without indexes": job(successPolicy={"rules": [{"succeededCount": 1}]}),
    "Job without a rule of success": enough(),
    "Job with wrong rules of success": enough(
        {},
        {"succeededIndexes": "a", "succeededCount": -1},
        {"succeededIndexes": "0-1-2", "succeededCount": 4},
        {"succeededIndexes": "2-1"},
        {"succeededIndexes": "1,0"},
        {"succeededIndexes": "3"},
        {"succeededIndexes": "0-5"},
        {"succeededIndexes": "0,1", "succeededCount": 3},
    ),
}
CHANGES: dict[str, tuple[Body, Body]] = {
    "rules of failure of a Job": (failing(rule()), {"spec": {"podFailurePolicy": None}}),
    "limit of a Job's indexes": (indexed(backoffLimitPerIndex=1), {"spec": {"backoffLimitPerIndex": 2}}),
    "rules of success of a Job": (
        enough({"succeededCount": 1}),
        {"spec": {"successPolicy": {"rules": [{"succeededCount": 2}]}}},
    ),
    "completions of a Job with indexes alone": (indexed(), {"spec": {"completions": 4}}),
}
