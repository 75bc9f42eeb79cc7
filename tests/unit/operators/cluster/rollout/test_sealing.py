"""A package version is known by its content, not only by its name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace
from tests.support.clusters import NOW, cluster, new, package
from tests.support.rollouts import NEW, OLD, PACKAGES, after, look, wishing

from homeostat.api.cluster.v1alpha1 import ClusterPackageVersion
from homeostat.operators.cluster import words
from homeostat.operators.cluster.admission import package_validator
from homeostat.operators.cluster.decide import Policy, decide
from homeostat.operators.cluster.informers import INDEXES
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.rollout.sealing import digest
from homeostat.runtime.conditions import find_condition
from homeostat.runtime.store import Store
from homeostat.runtime.webhook.asking import ALLOWED, Request


def forged(name: str) -> ClusterPackageVersion:
    """One of the same name whose API server is started otherwise."""
    made = PACKAGES[name]
    others = [replace(part, args={**part.args, "profiling": "true"}) for part in made.spec.components]
    return replace(made, spec=replace(made.spec, components=tuple(others)))


def among(seen: Observed, *packages: ClusterPackageVersion) -> Observed:
    changed = {each.metadata.name: each for each in packages}
    return replace(seen, packages={**seen.packages, **changed})


def kept(seen: Observed) -> Mapping[str, str]:
    return {each.name: each.digest for each in seen.cluster.status.package_digests}


def approving(seen: Observed, what: str) -> Observed:
    spec = seen.cluster.spec
    spec = replace(spec, upgrade_policy=replace(spec.upgrade_policy, approve_content=what))
    return replace(seen, cluster=replace(seen.cluster, spec=spec))


def accepted(seen: Observed) -> tuple[str, str]:
    found = find_condition(look(seen)[1].conditions, words.ACCEPTED)
    assert found is not None
    return found.reason, found.message


def test_what_masters_are_made_of_is_remembered_before_the_first_moves_and_forgotten_when_none_is_left() -> None:
    seen = after(wishing(OLD, OLD))
    assert kept(seen) == {OLD: digest(PACKAGES[OLD])}
    moving = after(replace(seen, cluster=replace(seen.cluster, spec=wishing(NEW, OLD).cluster.spec)))
    assert kept(moving) == {each: digest(PACKAGES[each]) for each in (NEW, OLD)}
    for _ in range(40):
        moving = after(moving)
    assert kept(moving) == {NEW: digest(PACKAGES[NEW])}


def test_nothing_is_made_of_another_one_of_that_name() -> None:
    seen = among(after(wishing(OLD, OLD)), forged(OLD))
    assert decide(seen, NOW, Policy()).actions == ()
    reason, message = accepted(seen)
    assert reason == words.PACKAGE_CHANGED
    assert "make it as it was, under this name" in message
    assert kept(after(seen)) == {OLD: digest(PACKAGES[OLD])}
    assert accepted(among(seen, PACKAGES[OLD]))[0] == words.AS_DECLARED


def test_content_with_the_versions_that_run_may_be_approved_by_its_digest_and_is_the_known_one_then() -> None:
    seen = among(after(wishing(OLD, OLD)), forged(OLD))
    assert f"set spec.upgradePolicy.approveContent to {digest(forged(OLD))}" in accepted(seen)[1]
    seen = approving(seen, digest(forged(OLD)))
    assert decide(seen, NOW, Policy()).actions != ()
    assert accepted(seen)[0] == words.AS_DECLARED
    assert kept(after(seen)) == {OLD: digest(forged(OLD))}
    assert accepted(approving(after(seen), ""))[0] == words.AS_DECLARED
    assert accepted(among(after(seen), PACKAGES[OLD]))[0] == words.PACKAGE_CHANGED


def test_content_with_other_versions_cannot_be_approved() -> None:
    newer = replace(PACKAGES[NEW], metadata=PACKAGES[OLD].metadata)
    seen = approving(among(after(wishing(OLD, OLD)), newer), digest(newer))
    reason, message = accepted(seen)
    assert reason == words.PACKAGE_CHANGED
    assert "can be approved instead: kube-apiserver is of v1.34.4, and v1.35.4 in it" in message
    assert decide(seen, NOW, Policy()).actions == ()
    assert kept(after(seen)) == {OLD: digest(PACKAGES[OLD])}


def test_while_it_is_refused_the_status_says_what_runs() -> None:
    newer = replace(PACKAGES[NEW], metadata=PACKAGES[OLD].metadata)
    _, status = look(among(after(wishing(OLD, OLD)), newer))
    assert {each.version for each in status.components if each.name != "etcd"} == {"v1.34.4"}


def test_one_that_no_master_is_made_of_may_change() -> None:
    seen = among(after(wishing(OLD, OLD)), forged(NEW))
    assert accepted(seen)[0] == words.AS_DECLARED
    assert accepted(among(new(cluster()), forged(NEW)))[0] == words.AS_DECLARED


def test_the_order_of_flags_is_no_content() -> None:
    made = package(OLD)
    turned = [replace(part, args=dict(reversed(part.args.items()))) for part in made.spec.components]
    assert digest(replace(made, spec=replace(made.spec, components=tuple(turned)))) == digest(made)


def test_other_content_under_a_name_in_use_is_refused_before_it_is_stored() -> None:
    store: Store[Any] = Store(INDEXES)
    user = after(wishing(OLD, OLD)).cluster
    store.put(user.metadata.key, user)
    judge = package_validator([store])
    assert judge(Request(operation="CREATE", name=OLD, object=PACKAGES[OLD])) == ALLOWED
    (cause,) = judge(Request(operation="CREATE", name=OLD, object=forged(OLD))).causes
    assert "masters of Cluster default/demo are made of a" in cause.message
    assert digest(forged(OLD)) in cause.remedy
    user = approving(after(wishing(OLD, OLD)), digest(forged(OLD))).cluster
    store.put(user.metadata.key, user)
    assert judge(Request(operation="CREATE", name=OLD, object=forged(OLD))) == ALLOWED
