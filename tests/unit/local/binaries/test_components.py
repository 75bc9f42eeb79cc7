"""What is wanted agrees with what the engines pin, with the rest of homeostat, and with the projects' own layouts."""

from __future__ import annotations

import re

import pytest
from tests.support.programs import ARCH

from homeostat.local import datacentre
from homeostat.local.binaries import build, components, engines
from homeostat.local.binaries.components import KUBERNETES_VERSIONS, OFFERED_VERSIONS, Component, tools, wanted
from homeostat.local.binaries.errors import WrongChecksum
from homeostat.local.binaries.mirror import Mirror
from homeostat.local.binaries.release import checksum_of

ALL = (*wanted(OFFERED_VERSIONS, ARCH), *tools())
SUM = "a1" * 32


def modules(component: Component) -> str:
    return (engines.find(component.engine) / "go.mod").read_text()


@pytest.mark.parametrize("component", ALL, ids=lambda one: one.label)
def test_an_engine_pins_the_version_and_declares_every_program(component: Component) -> None:
    text = modules(component)
    assert re.search(rf"^(require |\s)\S+ v{re.escape(component.version)}(\s|$)", text, re.MULTILINE)
    for program in component.programs:
        assert re.search(rf"^(module |tool |\t){re.escape(program.package)}$", text, re.MULTILINE), program.package


@pytest.mark.parametrize("component", ALL, ids=lambda one: one.label)
def test_an_engine_replaces_modules_by_versions_only(component: Component) -> None:
    assert not re.search(r"=>\s*[./]", modules(component))


def test_versions_are_the_same_everywhere() -> None:
    assert datacentre.KUBERNETES_VERSION in KUBERNETES_VERSIONS
    assert components.ETCD_VERSIONS[-1] == datacentre.ETCD_VERSION
    assert datacentre.COREDNS_VERSION == components.COREDNS_VERSION
    assert datacentre.LOCAL_PATH_VERSION == components.LOCAL_PATH_VERSION


def test_a_second_patch_of_a_minor_shares_every_module_that_is_not_of_kubernetes() -> None:
    """So that Go, which compiles again what another version has, compiles only Kubernetes itself."""
    pins = re.compile(r"^\t(\S+) (v\S+)", re.MULTILINE)
    whole, masters = (
        dict(pins.findall((engines.find(f"kubernetes/{engine}") / "go.mod").read_text()))
        for engine in ("1.34", "1.34.3")
    )
    assert {module for module, pin in masters.items() if whole.get(module) != pin} == {
        module for module, pin in masters.items() if pin.endswith(".34.3")
    }


def test_a_recipe_changes_with_what_is_built_and_with_nothing_else() -> None:
    recipes = {build.recipe(one, engines.find(one.engine), ARCH) for one in ALL}
    assert len(recipes) == len(ALL)
    first = ALL[0]
    directory = engines.find(first.engine)
    assert build.recipe(first, directory, "arm64") != build.recipe(first, directory, ARCH)
    assert build.recipe(first, directory, ARCH) == build.recipe(first, directory, ARCH)


def test_releases_are_looked_for_at_the_projects_own_hosts_or_a_mirror() -> None:
    paths = {file.name or file.path: (file.host, file.path) for one in ALL for file in one.files}
    host, path = paths["kubelet"]  # of the last version that has one
    assert Mirror().url(host, path) == "https://dl.k8s.io/release/v1.35.4/bin/linux/amd64/kubelet"
    assert Mirror("http://mirror/at/").url(host, path) == "http://mirror/at/release/v1.35.4/bin/linux/amd64/kubelet"


@pytest.mark.parametrize(
    "published",
    [
        SUM,
        f"{SUM}\n",
        f"{SUM.upper()}  a.tgz\n",
        f"{SUM} *a.tgz\n",
        f"{'0' * 64}  b.tgz\n{SUM}  release/a.tgz\n",
    ],
)
def test_checksums_are_read_in_every_form_that_projects_publish(published: str) -> None:
    assert checksum_of(published, "a.tgz", "where") == SUM


@pytest.mark.parametrize("published", ["", "<html>", f"{SUM}  b.tgz", "zz" * 32, SUM[:-1]])
def test_what_is_no_checksum_of_the_file_is_refused(published: str) -> None:
    with pytest.raises(WrongChecksum, match="expected a line with"):
        checksum_of(published, "a.tgz", "where")
