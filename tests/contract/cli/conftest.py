"""The command line pointed at an API server that knows homeostat's kinds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import pytest
from tests.support.apiserver import ApiServer, api_server
from tests.support.kinds import clear, install
from tests.support.terminal import Outcome, run

__all__ = ["api_server"]


class Homeostat(Protocol):
    """Runs a command line."""

    def __call__(self, *arguments: str, stdin: str = "") -> Outcome: ...


@pytest.fixture(scope="session")
def server(api_server: ApiServer) -> ApiServer:
    """The API server with the CRDs of deploy/crds and a namespace for these tests."""
    install(api_server)
    namespace = '{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "cli"}}'
    api_server.kubectl("apply", "--server-side", "-f", "-", stdin=namespace)
    return api_server


@pytest.fixture(scope="module", autouse=True)
def leave_no_cluster(server: ApiServer) -> Iterator[None]:
    """Operators of later tests care for all Clusters that there are."""
    yield
    clear(server)


@pytest.fixture
def homeostat(server: ApiServer) -> Homeostat:
    """`homeostat` with $KUBECONFIG set."""

    def call(*arguments: str, stdin: str = "") -> Outcome:
        return run(*arguments, stdin=stdin, env={"KUBECONFIG": str(server.kubeconfig)})

    return call
