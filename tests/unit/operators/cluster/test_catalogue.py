"""The package versions that homeostat ships: each starts what its name says, and says nothing that is not followed."""

from __future__ import annotations

import pytest
from tests.support.clusters import EXAMPLES, package

from homeostat.local.binaries.components import ETCD_VERSIONS, OFFERED_VERSIONS
from homeostat.local.machine import version
from homeostat.operators.cluster.manifests.owned import owned

CATALOGUE = sorted(path.stem for path in (EXAMPLES / "packageversions").glob("*.yaml"))


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_package_version_is_named_after_the_version_that_it_serves(name: str) -> None:
    shipped = package(name)
    assert shipped.metadata.name == name
    assert name.partition("-")[0] == shipped.spec.kubernetes_version


@pytest.mark.parametrize("name", CATALOGUE)
def test_its_images_are_those_that_a_data_centre_holds(name: str) -> None:
    for part in package(name).spec.components:
        assert part.image == f"homeostat.local/{part.name}:{part.version}"
        offered = (version(),) if part.name == "homeostat" else (*OFFERED_VERSIONS, *ETCD_VERSIONS)
        assert part.version.removeprefix("v") in offered


@pytest.mark.parametrize("name", CATALOGUE)
def test_it_names_nothing_that_is_owned(name: str) -> None:
    for part in package(name).spec.components:
        own = owned(part.name)
        assert [flag for flag in part.args if own.flag(flag)] == []
        assert [variable for variable in part.env if own.variable(variable)] == []


def test_a_small_cluster_runs_the_same_programs_and_asks_for_less() -> None:
    for large, small in zip(package("v1.35.4").spec.components, package("v1.35.4-small").spec.components, strict=True):
        assert (small.name, small.version, small.image) == (large.name, large.version, large.image)
        assert small.env["GOGC"] == "50"
        assert small.resources != large.resources
