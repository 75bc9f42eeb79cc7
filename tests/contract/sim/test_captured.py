"""What is written down of the built-in types is what the real API server says."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from scripts.capture_schemas import captured
from tests.contract.sim.asking import ask
from tests.support.apiserver import ApiServer, launch

from homeostat.sim.apiserver.schemas import builtin
from homeostat.sim.apiserver.schemas.captured import MINOR, openapi, openapi_paths

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def fresh() -> Iterator[ApiServer]:
    """A real API server in which nobody has defined anything."""
    server = launch()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(server.directory, ignore_errors=True)


def test_the_captured_files_are_what_the_script_makes_of_the_present_binary(fresh: ApiServer) -> None:
    assert ask(fresh, "GET", "/version")[0]["gitVersion"].startswith(f"v{MINOR}.")

    stale = [path.name for path, content in captured(fresh).items() if path.read_bytes() != content]

    assert not stale, "run `python -m scripts.capture_schemas`"


def test_an_openapi_document_is_put_together_as_it_was(fresh: ApiServer) -> None:
    listed = ask(fresh, "GET", "/openapi/v3")[0]["paths"]

    assert sorted(openapi_paths()) == sorted(listed)
    for path in ("api/v1", "apis/apps/v1", "version"):
        assert openapi(path) == ask(fresh, "GET", listed[path]["serverRelativeURL"])[0]


def test_every_resource_has_objects_of_a_known_shape() -> None:
    known = {one.plural: builtin.shape(one.group, one.version, one.kind).form for one in builtin.resources()}

    assert len(known) > 50
    assert set(known.values()) == {"object"}
