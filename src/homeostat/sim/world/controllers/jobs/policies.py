"""What a Job has said of failures and of success beforehand. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from homeostat.sim.world.controllers.jobs.indexes import Indexes, read_indexes
from homeostat.sim.world.kinds.jobs import ExitCodes, FailurePolicy, FailureRule, SuccessPolicy
from homeostat.sim.world.kinds.pods import Pod

FAIL_JOB, FAIL_INDEX, IGNORE = "FailJob", "FailIndex", "Ignore"
Exits = Mapping[str, tuple[tuple[str, int], ...]]
"""By uid of a Pod, the containers that ended badly, and with which codes; init containers come last."""


class Looked(Struct, frozen=True):
    """What is read of Pods beyond what a cache holds of them, where a Job asks for it."""

    exits: Exits = {}
    restarts: int | None = None  # of the containers of all Pods that are not over; None where none is restarted


class Match(Struct, frozen=True):
    """What is to come of a Pod that failed: the action of the first rule that it matches, if it matches one."""

    action: str = "Count"
    message: str = ""

    @property
    def counts(self) -> bool:
        """Whether it is one of those that may not be too many."""
        return self.action != IGNORE


def match(policy: FailurePolicy | None, pod: Pod, exits: Exits) -> Match:
    """What a policy says of a Pod that failed."""
    for index, rule in enumerate(policy.rules if policy is not None else ()):
        said = _matched(rule, pod, exits)
        if said:
            return Match(rule.action, f"{said} matching {rule.action} rule at index {index}")
    return Match()


def met(policy: SuccessPolicy | None, completed: Indexes, completions: int) -> str:
    """Which rule of success is met; nothing if none is."""
    for index, rule in enumerate(policy.rules if policy is not None and completed else ()):
        count = rule.succeeded_count
        if rule.succeeded_indexes is not None:
            wanted = read_indexes(rule.succeeded_indexes, completions)
            found = len(wanted & completed)
            is_met = bool(wanted) and (found == len(wanted) or (count is not None and found >= count))
        else:
            is_met = count is not None and len(completed) >= count
        if is_met:
            return f"Matched rules at index {index}"
    return ""


def _matched(rule: FailureRule, pod: Pod, exits: Exits) -> str:
    """By what a Pod matches a rule; nothing if it does not."""
    name_of_pod = f"{pod.metadata.namespace}/{pod.metadata.name}"
    if rule.on_exit_codes is not None:
        for name, code in exits.get(pod.metadata.uid, ()):
            if _has(rule.on_exit_codes, name, code):
                return f"Container {name} for pod {name_of_pod} failed with exit code {code}"
        return ""
    wanted = {(each.type, each.status) for each in rule.on_pod_conditions or ()}
    found = next((each.type for each in pod.status.conditions if (each.type, each.status) in wanted), "")
    return f"Pod {name_of_pod} has condition {found}" if found else ""


def _has(codes: ExitCodes, name: str, code: int) -> bool:
    is_meant = codes.container_name is None or codes.container_name == name
    return is_meant and (code in codes.values) is (codes.operator == "In")
