"""What roles let somebody do."""

from __future__ import annotations

from typing import Any

import pytest

from homeostat.sim.apiserver.access.attributes import Attributes, User, forbidden
from homeostat.sim.apiserver.access.roles import Roles
from homeostat.sim.apiserver.store.record import record
from homeostat.sim.apiserver.store.store import Store

GROUP = "rbac.authorization.k8s.io"
READ = {"verbs": ["get", "list"], "apiGroups": [""], "resources": ["pods", "*/status"]}
ANN = User("ann", ("system:authenticated", "devs"))
ROBOT = User("system:serviceaccount:shop:robot", ("system:serviceaccounts",))


def put(store: Store, plural: str, name: str, namespace: str = "", **content: Any) -> None:
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    store.put((GROUP, plural), record({"metadata": metadata, **content}, 0))


def bound(rule: dict[str, Any], subject: dict[str, str], namespace: str = "", *, everywhere: bool = False) -> Roles:
    """Roles of which one has this rule, bound to a subject in a namespace or everywhere."""
    store = Store()
    reference = {"kind": "ClusterRole", "name": "r"}
    put(store, "clusterroles", "r", rules=[rule])
    plural = "clusterrolebindings" if everywhere else "rolebindings"
    put(store, plural, "b", "" if everywhere else namespace, roleRef=reference, subjects=[subject])
    return Roles(store)


def get(resource: str, namespace: str = "shop", verb: str = "get", **more: str) -> Attributes:
    return Attributes(verb=verb, resource=resource, namespace=namespace, **more)


@pytest.mark.parametrize(
    ("wanted", "may"),
    [
        (get("pods"), True),
        (get("pods", verb="list"), True),
        (get("pods", verb="delete"), False),
        (get("pods", namespace="other"), False),
        (get("pods", namespace=""), False),
        (get("pods/status"), True),
        (get("pods/log"), False),
        (get("secrets"), False),
        (get("pods", group="other.example"), False),
    ],
)
def test_a_role_lets_its_subject_do_what_it_says_where_it_is_bound(wanted: Attributes, *, may: bool) -> None:
    roles = bound(READ, {"kind": "User", "name": "ann"}, "shop")
    assert roles.allow(ANN, wanted) is may
    assert not roles.allow(User("bob"), wanted)


def test_who_is_in_a_group_or_is_a_service_account_may_what_these_may() -> None:
    assert bound(READ, {"kind": "Group", "name": "devs"}, "shop").allow(ANN, get("pods"))
    account = {"kind": "ServiceAccount", "name": "robot"}
    assert bound(READ, account, "shop").allow(ROBOT, get("pods"))
    assert not bound(READ, account | {"namespace": "other"}, "shop").allow(ROBOT, get("pods"))


def test_what_is_bound_everywhere_holds_in_every_namespace_and_for_paths() -> None:
    subject = {"kind": "User", "name": "ann"}
    assert bound(READ, subject, everywhere=True).allow(ANN, get("pods", namespace=""))
    paths = {"verbs": ["get"], "nonResourceURLs": ["/metrics", "/logs/*"]}
    for path, may in (("/metrics", True), ("/logs/a", True), ("/debug", False)):
        assert bound(paths, subject, everywhere=True).allow(ANN, Attributes(verb="get", path=path)) is may
    assert not bound(paths, subject, "shop").allow(ANN, Attributes(verb="get", path="/metrics"))


def test_a_rule_about_names_lets_nobody_list() -> None:
    named = READ | {"resourceNames": ["a"]}
    roles = bound(named, {"kind": "User", "name": "ann"}, "shop")
    assert roles.allow(ANN, get("pods", name="a"))
    assert not roles.allow(ANN, get("pods", name="b"))
    assert not roles.allow(ANN, get("pods", verb="list"))


def test_administrators_may_everything_and_a_binding_counts_from_when_it_is_there() -> None:
    store = Store()
    roles = Roles(store)
    assert roles.allow(User("root", ("system:masters",)), get("anything", verb="whatever"))
    assert not roles.allow(ANN, get("pods"))
    put(store, "roles", "r", "shop", rules=[READ])
    reference = {"kind": "Role", "name": "r"}
    put(store, "rolebindings", "b", "shop", roleRef=reference, subjects=[{"kind": "User", "name": "ann"}])
    assert roles.allow(ANN, get("pods"))
    store.drop((GROUP, "rolebindings"), "shop/b")
    assert not roles.allow(ANN, get("pods"))


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        (
            get("pods", verb="list"),
            'pods is forbidden: User "ann" cannot list resource "pods" in API group "" in the namespace "shop"',
        ),
        (
            get("things/status", namespace="", group="x.dev", name="a"),
            'things.x.dev "a" is forbidden: User "ann" cannot get resource "things/status" in API group "x.dev" at the'
            " cluster scope",
        ),
        (Attributes(verb="get", path="/metrics"), 'forbidden: User "ann" cannot get path "/metrics"'),
    ],
)
def test_a_refusal_says_who_may_not_do_what(wanted: Attributes, says: str) -> None:
    error = forbidden(ANN, wanted)
    assert (error.code, error.reason, error.message) == (403, "Forbidden", says)
