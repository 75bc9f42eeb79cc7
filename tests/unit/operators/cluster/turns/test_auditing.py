"""The audit log: which policy API servers are made with, and how they come to another one."""

from __future__ import annotations

from typing import Any

import yaml
from msgspec.structs import replace
from tests.support.clusters import NOW, cluster, new, planned, running, settled, workload

from homeostat.api.cluster.audit import METADATA, OFF, REQUEST
from homeostat.api.cluster.masters import API_SERVER
from homeostat.operators.cluster import words
from homeostat.operators.cluster.decide import Policy, decide
from homeostat.operators.cluster.manifests.audit import flags, policy
from homeostat.operators.cluster.observe import Observed, ProbeSeen
from homeostat.operators.cluster.pacing.place import Place
from homeostat.operators.cluster.report import report


def asked(level: str, at: str = METADATA) -> Observed:
    """A cluster that is well, of one level, and declared to be of another."""
    seen = running(cluster(audit={"level": level}), ready_since=NOW, probed=ProbeSeen(NOW, "v1.35.4"))
    status = replace(seen.cluster.status, audit_level=at)
    return settled(replace(seen, cluster=replace(seen.cluster, status=status)))


def told(seen: Observed) -> str:
    """The level in the status after one look."""
    status = report(seen, decide(seen, NOW, Policy()), (), NOW).status
    assert status is not None
    return status.audit_level


def level_of(request: dict[str, Any], level: str) -> str:
    """What a policy says of a request, by the first rule that fits, as the API server reads it."""
    for rule in yaml.safe_load(policy(level))["rules"]:
        if "users" in rule and request["user"] not in rule["users"]:
            continue
        if "userGroups" in rule and not set(request.get("groups", ())) & set(rule["userGroups"]):
            continue
        if "verbs" in rule and request["verb"] not in rule["verbs"]:
            continue
        if "nonResourceURLs" in rule:
            continue
        named = [each for part in rule.get("resources", ()) for each in part["resources"]]
        if named and request["resource"] not in named:
            continue
        return str(rule["level"])
    return "None"


def test_who_wrote_is_told_and_never_what_is_in_a_secret() -> None:
    for level in (METADATA, REQUEST):
        for resource in ("secrets", "configmaps", "serviceaccounts/token", "tokenreviews"):
            assert level_of({"user": "alice", "verb": "create", "resource": resource}, level) == "Metadata"
    assert level_of({"user": "alice", "verb": "create", "resource": "services"}, METADATA) == "Metadata"
    assert level_of({"user": "alice", "verb": "create", "resource": "services"}, REQUEST) == "Request"
    assert level_of({"user": "alice", "verb": "list", "resource": "services"}, REQUEST) == "Metadata"


def test_what_kubernetes_itself_reads_is_not_told_but_what_it_writes_is() -> None:
    scheduler = {"user": "system:kube-scheduler", "resource": "pods"}
    assert level_of({**scheduler, "verb": "watch"}, METADATA) == "None"
    assert level_of({**scheduler, "verb": "create"}, METADATA) == "Metadata"
    node = {"user": "system:node:a", "groups": ["system:nodes"]}
    assert level_of({**node, "verb": "patch", "resource": "nodes/status"}, METADATA) == "None"
    assert level_of({**node, "verb": "get", "resource": "secrets"}, METADATA) == "None"
    assert level_of({**node, "verb": "patch", "resource": "nodes"}, METADATA) == "Metadata"
    assert level_of({"user": "alice", "verb": "update", "resource": "leases"}, METADATA) == "None"


def test_a_new_cluster_has_the_level_that_is_declared() -> None:
    assert flags(cluster())["audit-policy-file"] == "/etc/homeostat/audit/metadata.yaml"
    assert flags(cluster(audit={"level": REQUEST}))["audit-policy-file"] == "/etc/homeostat/audit/request.yaml"
    assert flags(cluster(audit={"level": OFF})) == {}
    assert told(new(cluster(audit={"level": REQUEST}))) == REQUEST


def test_another_level_is_told_first_and_then_made() -> None:
    seen = asked(REQUEST)
    assert planned(decide(seen, NOW, Policy())) == []
    assert told(seen) == REQUEST
    after = replace(seen, cluster=replace(seen.cluster, status=replace(seen.cluster.status, audit_level=REQUEST)))
    assert [each.name for each in planned(decide(after, NOW, Policy()))] == ["demo-apiserver"]


def test_a_cluster_of_a_release_before_comes_to_its_log_at_rest() -> None:
    assert flags(asked(METADATA, at="").cluster) == {}
    assert told(asked(METADATA, at="")) == METADATA


def test_the_level_stays_while_a_master_is_not_well() -> None:
    seen = asked(OFF)
    broken = workload(API_SERVER, "demo-apiserver", ready=0)
    assert told(replace(seen, workloads={**seen.workloads, "demo-apiserver": broken})) == METADATA


def test_a_level_that_waits_for_its_turn_says_so_in_a_cluster_that_is_up_to_date() -> None:
    seen = replace(asked(OFF), place=Place(may_begin=False, before=1, at_once=1))
    status = report(seen, decide(seen, NOW, Policy()), (), NOW).status
    assert status is not None
    (condition,) = [each for each in status.conditions if each.type == words.UP_TO_DATE]
    assert (condition.status, condition.reason) == ("True", words.AS_DECLARED)
    assert condition.message.startswith("the audit log is kept at Metadata; Off is declared, and waits: masters of as ")
