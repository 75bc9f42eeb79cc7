"""Discovery: aggregated or group by group, cached, and the words people use."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.scripted import Answer, Scripted, status

from homeostat.kube.discovery import AmbiguousName, Discovery


def resource(plural: str, kind: str, *short: str, scope: str = "Namespaced", **more: Any) -> dict[str, Any]:
    return {
        "resource": plural,
        "responseKind": {"kind": kind},
        "scope": scope,
        "singularResource": kind.lower(),
        "shortNames": list(short),
        "verbs": ["get"],
        **more,
    }


def aggregated(**groups: list[tuple[str, list[dict[str, Any]]]]) -> dict[str, Any]:
    items = [
        {
            "metadata": {"name": name.replace("_", ".") if name != "core" else ""},
            "versions": [
                {"version": version, "resources": found, "freshness": "Current"} for version, found in versions
            ],
        }
        for name, versions in groups.items()
    ]
    return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "items": items}


CORE = aggregated(core=[("v1", [resource("pods", "Pod", "po", categories=["all"]), resource("events", "Event", "ev")])])
REST = aggregated(
    events_k8s_io=[("v1", [resource("events", "Event", "ev")])],
    cluster_homeostat_dev=[
        ("v1beta1", [resource("clusters", "Cluster", "hc", subresources=[{"subresource": "status"}])]),
        ("v1alpha1", [resource("clusters", "Cluster", "hc")]),
    ],
    other_dev=[("v1", [resource("clusters", "Cluster", "oc"), resource("zones", "Zone", scope="Cluster")])],
)


def discovery(*bodies: dict[str, Any]) -> tuple[Discovery, Scripted]:
    scripted = Scripted(*(Answer(body=body) for body in bodies))
    return Discovery(scripted.client), scripted


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("pods", "pods"),
        ("pod", "pods"),
        ("Pod", "pods"),
        ("po", "pods"),
        ("hc", "clusters.cluster.homeostat.dev"),
        ("clusters.cluster.homeostat.dev", "clusters.cluster.homeostat.dev"),
        ("clusters.other.dev", "clusters.other.dev"),
        ("events", "events"),
        ("events.events.k8s.io", "events.events.k8s.io"),
        ("zone", "zones.other.dev"),
    ],
)
async def test_a_word_means_one_resource(word: str, expected: str) -> None:
    found = await discovery(CORE, REST)[0].find(word)
    assert found.resource.qualified == expected


async def test_the_preferred_version_is_taken_and_another_can_be_named() -> None:
    one, _ = discovery(CORE, REST)
    assert (await one.find("hc")).resource.version == "v1beta1"
    assert (await one.find("hc")).subresources == ("status",)
    assert (await one.find("clusters.v1alpha1.cluster.homeostat.dev")).resource.version == "v1alpha1"


async def test_scope_and_categories_are_known() -> None:
    one, _ = discovery(CORE, REST)
    assert not (await one.find("zones")).resource.namespaced
    assert [served.resource.plural for served in await one.in_category("all")] == ["pods"]


async def test_a_word_with_two_meanings_names_both() -> None:
    with pytest.raises(AmbiguousName, match=r"clusters\.cluster\.homeostat\.dev, clusters\.other\.dev"):
        await discovery(CORE, REST)[0].find("clusters")


async def test_answers_are_kept_and_asked_for_again_after_a_while() -> None:
    one, scripted = discovery(CORE, REST, CORE, REST)
    await one.resources()
    await one.resources()
    assert len(scripted.transport.requests) == 2
    scripted.clock.advance(601)
    await one.resources()
    assert len(scripted.transport.requests) == 4


async def test_an_unknown_word_asks_the_server_again_because_a_crd_may_be_new() -> None:
    one, scripted = discovery(CORE, aggregated(), CORE, REST)
    await one.resources()
    scripted.clock.advance(3)
    assert (await one.find("hc")).resource.kind == "Cluster"


async def test_an_unknown_word_is_an_error_that_says_what_to_do() -> None:
    one, _ = discovery(CORE, REST)
    with pytest.raises(LookupError, match="no resource 'unicorns'; see `kubectl api-resources`"):
        await one.find("unicorns")


async def test_servers_without_aggregated_discovery_are_asked_group_by_group() -> None:
    pods = {"name": "pods", "kind": "Pod", "namespaced": True, "singularName": "pod", "shortNames": ["po"]}
    groups = [
        {
            "name": "other.dev",
            "versions": [{"groupVersion": "other.dev/v1", "version": "v1"}],
            "preferredVersion": {"groupVersion": "other.dev/v1", "version": "v1"},
        },
        {
            "name": "lost.dev",
            "versions": [{"groupVersion": "lost.dev/v1", "version": "v1"}],
            "preferredVersion": {"groupVersion": "lost.dev/v1", "version": "v1"},
        },
    ]
    scripted = Scripted(
        Answer(body={"kind": "APIVersions", "versions": ["v1"]}),
        Answer(body={"kind": "APIGroupList", "groups": groups}),
        Answer(body={"resources": [pods, {"name": "pods/log", "kind": "Pod"}]}),
        Answer(body={"resources": [{"name": "zones", "kind": "Zone", "singularName": "zone"}]}),
        Answer(404, status(404, "NotFound", "gone")),
    )
    one = Discovery(scripted.client)
    assert (await one.find("po")).subresources == ("log",)
    assert (await one.find("zone")).resource.qualified == "zones.other.dev"
    assert one.unavailable == ("lost.dev",)
