"""What a server serves, told in the two ways in which clients ask: group by group, and all at once (aggregated)."""

from __future__ import annotations

from typing import Any

from homeostat.sim.apiserver.answer import Answer, told
from homeostat.sim.apiserver.types.registry import Types
from homeostat.sim.apiserver.types.type import Type

_AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
# A status is read and written, never made.
_STATUS_VERBS = ("get", "patch", "update")
_VERBS = {"scale": _STATUS_VERBS, "status": _STATUS_VERBS, "log": ("get",), "finalize": ("update",)}
_VERBS["approval"] = _STATUS_VERBS


def discovered(path: str, types: Types, version: str, accept: str) -> Answer | None:
    """What a path tells of the server itself; None when it is about objects, or nothing."""
    parts = path.strip("/").split("/")
    if parts == ["version"]:
        return told(_version(version))
    if len(parts) > (3 if parts[0] == "apis" else 2):
        return None  # of objects, as most of what is read
    groups = types.groups()
    is_whole = "as=APIGroupDiscoveryList" in accept
    match parts:
        case ["api"]:
            if is_whole:
                return _aggregated({"": groups.get("", {})})
            return told({"kind": "APIVersions", "versions": list(groups.get("", {}))})
        case ["apis"]:
            named = {group: versions for group, versions in groups.items() if group}
            if is_whole:
                return _aggregated(named)
            shown = [_group(group, versions) for group, versions in named.items()]
            return told({"kind": "APIGroupList", "apiVersion": "v1", "groups": shown})
        case ["apis", group] if group in groups:
            return told({"kind": "APIGroup", "apiVersion": "v1", **_group(group, groups[group])})
        case ["api", name] if name in groups.get("", {}):
            return told(_resources(name, groups[""][name]))
        case ["apis", group, name] if name in groups.get(group, {}):
            return told(_resources(f"{group}/{name}", groups[group][name]))
    return None


def _version(version: str) -> dict[str, str]:
    major, minor, _ = version.removeprefix("v").split(".")
    return {"major": major, "minor": minor, "gitVersion": version, "platform": "simulated"}


def _group(group: str, versions: dict[str, list[Type]]) -> dict[str, Any]:
    shown = [{"groupVersion": f"{group}/{each}", "version": each} for each in versions]
    return {"name": group, "versions": shown, "preferredVersion": shown[0]}


def _resources(group_version: str, types: list[Type]) -> dict[str, Any]:
    shown = [each for type_ in types for each in _of_type(type_)]
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": shown}


def _of_type(type_: Type) -> list[dict[str, Any]]:
    resource, names = type_.resource, type_.names
    whole: dict[str, Any] = {"name": resource.plural, "singularName": names.singular, "namespaced": resource.namespaced}
    whole |= {"kind": resource.kind, "verbs": list(type_.verbs)}
    if names.short:
        whole["shortNames"] = list(names.short)
    if names.categories:
        whole["categories"] = list(names.categories)
    parts = [
        {
            "name": f"{resource.plural}/{each}",
            "singularName": "",
            "namespaced": resource.namespaced,
            "kind": resource.kind,
            "verbs": list(_VERBS.get(each, ("create",))),
        }
        for each in type_.subresources
    ]
    return [whole, *parts]


def _aggregated(groups: dict[str, dict[str, list[Type]]]) -> Answer:
    items = [
        {
            "metadata": {"name": group} if group else {},
            "versions": [_version_of(version, types) for version, types in versions.items()],
        }
        for group, versions in groups.items()
    ]
    whole = {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items}
    answer = told(whole)
    return Answer(answer.code, answer.body, _AGGREGATED)


def _version_of(version: str, types: list[Type]) -> dict[str, Any]:
    return {"version": version, "freshness": "Current", "resources": [_whole(each) for each in types]}


def _whole(type_: Type) -> dict[str, Any]:
    resource, names = type_.resource, type_.names
    kind = {"group": resource.group, "version": resource.version, "kind": resource.kind}
    shown: dict[str, Any] = {
        "resource": resource.plural,
        "responseKind": kind,
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": names.singular,
        "verbs": list(type_.verbs),
    }
    if names.short:
        shown["shortNames"] = list(names.short)
    if names.categories:
        shown["categories"] = list(names.categories)
    if type_.subresources:
        shown["subresources"] = [
            {"subresource": each, "responseKind": kind, "verbs": list(_VERBS.get(each, ("create",)))}
            for each in type_.subresources
        ]
    return shown
