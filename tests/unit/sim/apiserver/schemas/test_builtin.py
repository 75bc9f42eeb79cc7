"""What is known of built-in types."""

from __future__ import annotations

import pytest

from homeostat.sim.apiserver.schemas import builtin
from homeostat.sim.apiserver.schemas.captured import openapi, types
from homeostat.sim.apiserver.schemas.shape import Shape


def at(shape: Shape, path: str) -> Shape:
    for name in path.split("."):
        shape = shape.each if name == "*" and shape.each else shape.at(name)
    return shape


def test_resources_are_known_by_all_their_names() -> None:
    pods = next(one for one in builtin.resources() if one.plural == "pods")

    assert (pods.kind, pods.singular, pods.short_names, pods.categories) == ("Pod", "pod", ("po",), ("all",))
    assert pods.namespaced
    assert pods.api_version == "v1"


def test_a_subresource_may_take_objects_of_another_group() -> None:
    pods = next(one for one in builtin.resources() if one.plural == "pods")

    eviction = next(each for each in pods.subresources if each.name == "eviction")

    assert (eviction.group, eviction.version, eviction.kind) == ("policy", "v1", "Eviction")


@pytest.mark.parametrize(
    ("kind", "path", "merge", "keys"),
    [
        (("", "v1", "Pod"), "spec.containers", "map", ("name",)),
        (("", "v1", "Pod"), "spec.containers.*.ports", "map", ("containerPort", "protocol")),
        (("", "v1", "Pod"), "spec.containers.*.args", "atomic", ()),
        (("", "v1", "Pod"), "metadata.finalizers", "set", ()),
        (("", "v1", "Service"), "spec.ports", "map", ("port", "protocol")),
        (("", "v1", "Pod"), "spec.nodeSelector", "atomic", ()),
        (("", "v1", "ConfigMap"), "data", "granular", ()),
    ],
)
def test_shapes_say_how_values_merge(kind: tuple[str, str, str], path: str, merge: str, keys: tuple[str, ...]) -> None:
    shape = at(builtin.shape(*kind), path)

    assert (shape.merge, shape.keys) == (merge, keys)


def test_keys_that_a_client_may_leave_out_have_their_default() -> None:
    assert at(builtin.shape("", "v1", "Service"), "spec.ports").key_defaults["protocol"] == "TCP"


def test_a_shape_is_made_once_and_may_have_parts_of_itself() -> None:
    schema = at(builtin.shape("apiextensions.k8s.io", "v1", "CustomResourceDefinition"), "spec.versions.*.schema")
    properties = at(schema, "openAPIV3Schema.properties")

    assert properties.each is schema.at("openAPIV3Schema")


def test_what_decodes_itself_is_one_value_and_what_is_raw_has_any_form() -> None:
    pod = builtin.shape("", "v1", "Pod")

    assert at(pod, "spec.containers.*.resources.limits.cpu").form == "scalar"
    assert at(pod, "metadata.managedFields.*.fieldsV1.anything").form == "untyped"


def test_an_openapi_document_has_the_schemas_that_its_group_uses() -> None:
    document = openapi("apis/apps/v1")

    assert "io.k8s.api.apps.v1.Deployment" in document["components"]["schemas"]
    assert len(document["components"]["schemas"]) < len(types().schemas)
