"""Accounts, roles and bindings. They are kept; whom they allow what is not asked here.

Not judged: that nobody gives rights that he has not (escalation), and aggregation of roles.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from homeostat.sim.apiserver.refusing import Cause
from homeostat.sim.apiserver.schemas.causes import InOrder, at_index, child, invalid, not_supported, required
from homeostat.sim.apiserver.types.type import Strategy, Value

GROUP = "rbac.authorization.k8s.io"
ADMIN = "cluster-admin"
_FIRST = {
    "name": ADMIN,
    "labels": {"kubernetes.io/bootstrapping": "rbac-defaults"},
    "annotations": {"rbac.authorization.kubernetes.io/autoupdate": "true"},
}
# What every cluster begins with, by plural. Of what else a real one begins with, see `access.roles`.
FIRST: dict[str, Value] = {
    "clusterroles": {
        "metadata": _FIRST,
        "rules": [
            {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]},
            {"verbs": ["*"], "nonResourceURLs": ["*"]},
        ],
    },
    "clusterrolebindings": {
        "metadata": _FIRST,
        "roleRef": {"apiGroup": GROUP, "kind": "ClusterRole", "name": ADMIN},
        "subjects": [{"apiGroup": GROUP, "kind": "Group", "name": "system:masters"}],
    },
}
_SUBJECTS = ("ServiceAccount", "User", "Group")


class AccountStrategy(Strategy):
    """Who Pods are."""

    returns_deleted = True


class RoleStrategy(Strategy):
    """Rules."""

    names = "segment"

    def __init__(self, *, namespaced: bool) -> None:
        self._namespaced = namespaced

    def causes(self, value: Value, old: Value | None) -> Iterable[Cause]:  # noqa: ARG002
        """Of each rule."""
        for index, rule in enumerate(value.get("rules") or ()):
            yield from _of_rule(rule, at_index("rules", index), namespaced=self._namespaced)


class BindingStrategy(Strategy):
    """Who has the rights of a role."""

    names = "segment"

    def __init__(self, *, namespaced: bool) -> None:
        self._kinds = ("Role", "ClusterRole") if namespaced else ("ClusterRole",)

    def default(self, value: Value) -> None:
        """Groups of the kinds that RBAC knows."""
        if not value.setdefault("roleRef", {}).get("apiGroup"):
            value["roleRef"]["apiGroup"] = GROUP
        for subject in value.get("subjects") or ():
            if subject.get("kind") in ("User", "Group"):
                subject.setdefault("apiGroup", GROUP)

    def causes(self, value: Value, old: Value | None) -> Iterable[Cause]:
        """Of its role, which stays, and of its subjects."""
        role = value.get("roleRef", {})
        if role.get("apiGroup") != GROUP:
            yield not_supported("roleRef.apiGroup", role.get("apiGroup"), (GROUP,))
        if role.get("kind") not in self._kinds:
            yield not_supported("roleRef.kind", role.get("kind", ""), self._kinds)
        if not role.get("name"):
            yield required("roleRef.name")
        for index, subject in enumerate(value.get("subjects") or ()):
            yield from _of_subject(subject, at_index("subjects", index))
        if old is not None and role != old.get("roleRef"):
            shown = InOrder(APIGroup=role.get("apiGroup"), Kind=role.get("kind"), Name=role.get("name"))
            yield invalid("roleRef", shown, "cannot change roleRef")


def _of_rule(rule: Value, path: str, *, namespaced: bool) -> Iterator[Cause]:
    if not rule.get("verbs"):
        yield required(child(path, "verbs"), "verbs must contain at least one value")
    if rule.get("nonResourceURLs"):
        place = child(path, "nonResourceURLs")
        if namespaced:
            text = "namespaced rules cannot apply to non-resource URLs"
            yield invalid(place, rule["nonResourceURLs"], text)
        elif rule.get("apiGroups") or rule.get("resources") or rule.get("resourceNames"):
            text = "rules cannot apply to both regular resources and non-resource URLs"
            yield invalid(place, rule["nonResourceURLs"], text)
        return
    if not rule.get("apiGroups"):
        yield required(child(path, "apiGroups"), "resource rules must supply at least one api group")
    if not rule.get("resources"):
        yield required(child(path, "resources"), "resource rules must supply at least one resource")


def _of_subject(subject: Value, path: str) -> Iterator[Cause]:
    kind, group = subject.get("kind", ""), subject.get("apiGroup", "")
    if not subject.get("name"):
        yield required(child(path, "name"))
    if kind not in _SUBJECTS:
        yield not_supported(child(path, "kind"), kind, _SUBJECTS)
    elif kind == "ServiceAccount":
        if group:
            yield not_supported(child(path, "apiGroup"), group, ("",))
        if subject.get("name") and not subject.get("namespace"):
            yield required(child(path, "namespace"))
    elif group != GROUP:
        yield not_supported(child(path, "apiGroup"), group, (GROUP,))
