"""The owners of replicas agree with a real kube-apiserver, whichever door they are written by."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from tests.support.apiserver import ApiServer
from tests.support.judging import Server

from homeostat.sim.apiserver.fields import managing, scaling
from homeostat.sim.apiserver.fields.ownership import Writer
from homeostat.sim.apiserver.patches.merge import merged
from homeostat.sim.apiserver.schemas import builtin

pytestmark = pytest.mark.real

PLACES = {"apps/v1": scaling.REPLICAS}
Object = dict[str, Any]


@pytest.fixture(scope="module")
def server(api_server: ApiServer) -> Iterator[Server]:
    """The judge."""
    with closing(Server(api_server)) as asked:
        yield asked


def _deployment(name: str) -> Object:
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "image"}]}}
    spec = {"selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


def _ours(parent: Object, manager: str, replicas: int, *, applies: bool) -> list[Object]:
    """The entries that a Deployment has after a write to its Scale."""
    known = {name: parent["metadata"][name] for name in ("name", "namespace", "uid")}
    head = {"apiVersion": scaling.SCALE, "kind": "Scale"}
    entries = scaling.of_scale(parent["metadata"].get("managedFields", []), PLACES)
    live = head | {"metadata": known | {"managedFields": entries}, "spec": {"replicas": parent["spec"]["replicas"]}}
    writer = Writer(manager, scaling.SCALE, "2026-01-01T00:00:00Z", "scale")
    convert = managing.at_every_version(builtin.shape("autoscaling", "v1", "Scale"))
    change = {"spec": {"replicas": replicas}}
    if applies:
        config = head | {"metadata": {"name": known["name"]}} | change
        empty = head | {"metadata": {}, "spec": {}, "status": {"replicas": 0}}
        made = managing.apply(live, config, writer, convert, force=True, empty=empty)
    else:
        made = managing.update(live, merged(live, change), writer, convert)
    scaled = made["metadata"].get("managedFields", [])
    return scaling.of_parent(parent["metadata"].get("managedFields", []), scaled, "apps/v1", PLACES)


def _timeless(entries: list[Object]) -> list[Object]:
    shown = [{name: each for name, each in entry.items() if name != "time"} for entry in entries]
    return sorted(shown, key=str)


@pytest.mark.parametrize(
    ("name", "writes"),
    [
        ("changed", (("x", 3, False), ("x", 4, False), ("y", 5, False), ("y", 5, False))),
        ("not-changed", (("x", 1, False), ("x", 2, False))),
        ("applied", (("x", 3, True), ("y", 3, True), ("x", 4, True), ("z", 5, False), ("x", 6, True))),
    ],
)
def test_writes_to_a_scale_leave_the_same_owners(
    name: str, writes: tuple[tuple[str, int, bool], ...], server: Server
) -> None:
    collection = "/apis/apps/v1/namespaces/default/deployments"
    place = f"{collection}/scaled-{name}"
    assert server.ask("POST", f"{collection}?fieldManager=maker", _deployment(f"scaled-{name}"))[0] == 201
    for manager, replicas, applies in writes:
        parent = server.ask("GET", place)[1]
        ours = _ours(parent, manager, replicas, applies=applies)
        change: Object = {"spec": {"replicas": replicas}}
        kind = "application/merge-patch+json"
        if applies:
            change |= {"apiVersion": scaling.SCALE, "kind": "Scale", "metadata": {"name": f"scaled-{name}"}}
            kind = "application/apply-patch+yaml"
        force = "&force=true" if applies else ""
        code, told = server.ask("PATCH", f"{place}/scale?fieldManager={manager}{force}", change, kind)
        assert code == 200, told
        real = server.ask("GET", place)[1]
        assert _timeless(ours) == _timeless(real["metadata"].get("managedFields", [])), (manager, replicas)
