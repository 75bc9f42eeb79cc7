"""Merging, patching and managedFields agree with a real kube-apiserver, write by write."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import HealthCheck, given, settings
from tests.contract.sim.asking import await_served
from tests.support import courses_of_config_maps, courses_of_things, courses_of_workloads
from tests.support.apiserver import ApiServer
from tests.support.courses import patches_of_deployments, writes_to_config_maps, writes_to_things
from tests.support.judged_types import CONFIG_MAPS, DEPLOYMENTS, SERVICES, THINGS
from tests.support.judging import Case, Server, Type, Write
from tests.support.things import definition

pytestmark = pytest.mark.real

NAMESPACE = "default"
COURSES: dict[str, tuple[Type, tuple[Write, ...]]] = {
    f"{type_.kind}, {name}": (type_, course)
    for type_, courses in (
        (CONFIG_MAPS, courses_of_config_maps.COURSES),
        (THINGS, courses_of_things.COURSES),
        (SERVICES, courses_of_workloads.COURSES_OF_SERVICES),
        (DEPLOYMENTS, courses_of_workloads.COURSES_OF_DEPLOYMENTS),
    )
    for name, course in courses.items()
}


@pytest.fixture(scope="module")
def server(api_server: ApiServer) -> Iterator[Server]:
    """The judge, which serves Things."""
    with closing(Server(api_server)) as asked:
        asked.ask("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition())
        await_served(api_server, THINGS.path.format(namespace=NAMESPACE))
        yield asked


@pytest.mark.parametrize("course", COURSES)
def test_a_course_of_writes_has_the_same_objects_owners_and_refusals(course: str, server: Server) -> None:
    type_, writes = COURSES[course]

    Case(server, type_, NAMESPACE).run(*writes)


def _tried(examples: int) -> settings:
    """The same examples each time: what agrees today is not to fail by chance tomorrow."""
    return settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


@_tried(150)
@given(writes=writes_to_things())
def test_any_course_of_writes_to_things_agrees(writes: list[Write], server: Server) -> None:
    Case(server, THINGS, NAMESPACE).run(*writes)


@_tried(100)
@given(writes=writes_to_config_maps())
def test_any_course_of_writes_to_config_maps_agrees(writes: list[Write], server: Server) -> None:
    Case(server, CONFIG_MAPS, NAMESPACE).run(*writes)


@_tried(60)
@given(writes=patches_of_deployments())
def test_any_course_of_patches_of_a_deployment_agrees(writes: list[Write], server: Server) -> None:
    Case(server, DEPLOYMENTS, NAMESPACE).run(*writes)
