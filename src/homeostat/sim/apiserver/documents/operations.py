"""What can be done with a custom type, as documents of version 3 show it: as with a Deployment, but for what follows.

Custom types are not written in protobuf and have no strategic merge patch, and of some parameters a real server says
more or less: the paths of Deployments are captured, and these differences are made to copies of them.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from homeostat.sim.apiserver.documents.custom import name_of
from homeostat.sim.apiserver.schemas.captured import openapi
from homeostat.sim.apiserver.schemas.openapi import REFERENCE
from homeostat.sim.apiserver.types.type import Type, Value

_LIKE, _LIKE_ALL = "/apis/apps/v1/namespaces/{namespace}/deployments", "/apis/apps/v1/deployments"
_LIKE_SCHEMA = f"{REFERENCE}io.k8s.api.apps.v1.Deployment"
_LIKE_NAME, _LIKE_KIND = "AppsV1", "Deployment"
_ONE, _NAMESPACED = "/{name}", "Namespaced"
_MEDIA = ("application/json", "application/yaml")


def paths_of(type_: Type) -> dict[str, Value]:
    """All paths of a type, with what can be done there."""
    resource = type_.resource
    root = f"/apis/{resource.group}/{resource.version}"
    templates: Mapping[str, Any] = openapi("apis/apps/v1")["paths"]
    found: dict[str, Value] = {}
    if resource.namespaced:
        found[f"{root}/{resource.plural}"] = _place(type_, templates[_LIKE_ALL], "")
        root += "/namespaces/{namespace}"
    for part in ("", _ONE, *(f"{_ONE}/{each}" for each in type_.subresources)):
        found[f"{root}/{resource.plural}{part}"] = _place(type_, templates[_LIKE + part], part)
    return found


def references(value: Any) -> dict[str, None]:
    """The names of all schemas that something refers to."""
    if isinstance(value, list):
        return {name: None for each in value for name in references(each)}
    if not isinstance(value, dict):
        return {}
    found: dict[str, None] = {}
    for key, each in value.items():
        found |= {each.removeprefix(REFERENCE): None} if key == "$ref" else references(each)
    return found


def _place(type_: Type, template: Mapping[str, Any], part: str) -> Value:
    place: Value = copy.deepcopy(dict(template))
    kept = [each for each in place["parameters"] if type_.resource.namespaced or each["name"] != "namespace"]
    for each in kept:
        if each["name"] == "name":
            each["description"] = f"name of the {type_.resource.kind}"
    for method in [method for method in place if method != "parameters"]:
        _adapt(type_, place[method], method, part)
    place["parameters"] = kept
    if part:
        whole = _list_parameters()
        place["get"]["parameters"] = [each for each in whole if each["name"] == "resourceVersion"]
    elif "delete" in place:
        place["delete"]["parameters"] = _list_parameters()
    return place


def _adapt(type_: Type, made: Value, method: str, part: str) -> None:
    """Make an operation of the type of one of Deployments; in place."""
    resource = type_.resource
    name = _in_camel(resource.group)
    made["tags"] = [f"{name[:1].lower()}{name[1:]}_{resource.version}"]
    made["description"] = _described(made["description"], resource.kind)
    identity = made["operationId"].replace(_LIKE_NAME, f"{name}{resource.version.capitalize()}")
    if not resource.namespaced:
        identity = identity.replace(_NAMESPACED, "")
    made["operationId"] = identity.replace(_LIKE_KIND, resource.kind)
    kind = {"group": resource.group, "version": resource.version, "kind": resource.kind}
    made["x-kubernetes-group-version-kind"] = kind
    if method == "patch":
        del made["requestBody"]["content"]["application/strategic-merge-patch+json"]
        made["responses"].pop("201", None)
    elif method == "delete" and not part:
        del made["requestBody"]
    elif "requestBody" in made:
        made["requestBody"]["content"] = dict.fromkeys(_MEDIA, made["requestBody"]["content"]["*/*"])
    for each in made["responses"].values():
        if "content" in each:
            each["content"] = {media: _of_type(each["content"][media], type_) for media in _MEDIA}
    for media in _MEDIA:
        content = made.get("requestBody", {}).get("content", {})
        if media in content:
            content[media] = _of_type(content[media], type_)


def _of_type(content: Value, type_: Type) -> Value:
    reference = content["schema"]["$ref"]
    if reference.startswith(_LIKE_SCHEMA):
        is_list = reference != _LIKE_SCHEMA
        reference = REFERENCE + name_of(type_, type_.list_kind if is_list else "")
    return {"schema": {"$ref": reference}}


def _described(text: str, kind: str) -> str:
    article = "an" if kind[0] in "AEIOU" else "a"
    text = text.replace("list or watch objects", "list objects")
    return text.replace(f" a {_LIKE_KIND}", f" {article} {kind}").replace(_LIKE_KIND, kind)


def _list_parameters() -> list[Value]:
    parameters: list[Value] = openapi("apis/apps/v1")["paths"][_LIKE]["get"]["parameters"]
    return parameters


def _in_camel(group: str) -> str:
    return "".join(each[:1].upper() + each[1:] for each in group.replace("-", ".").split("."))
