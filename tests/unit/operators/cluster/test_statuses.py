"""What the status says of each component."""

from __future__ import annotations

from msgspec.structs import replace
from tests.support.clusters import new, running
from tests.support.telling import shown

from homeostat.api.cluster.masters import COMPONENTS
from homeostat.operators.cluster import words


def test_the_status_names_every_component_of_the_package_with_its_version() -> None:
    found = {status.name: (status.version, status.desired, status.ready, status.state) for status in shown(new())}
    assert list(found) == list(COMPONENTS)
    assert found["etcd"][1:] == (1, 0, words.NOT_CREATED)
    assert found["kube-apiserver"][0] == "v1.35.4"


def test_without_its_package_the_last_known_components_stay() -> None:
    seen = running()
    known = replace(seen.cluster, status=replace(seen.cluster.status, components=shown(seen)))
    assert shown(replace(seen, cluster=known, packages={})) == shown(seen)
