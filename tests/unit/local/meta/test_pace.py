"""How many clusters a cell on one machine creates at once follows from the processors that its hosts share."""

from __future__ import annotations

import pytest

from homeostat.cli.run import cell
from homeostat.local.manifests import Manifests, root
from homeostat.local.meta.pace import at_once, with_pace


@pytest.mark.parametrize(("processors", "clusters"), [(0, 2), (1, 2), (2, 4), (64, 128)])
def test_two_for_each_processor(processors: int, clusters: int) -> None:
    assert at_once(processors) == clusters


def test_the_operator_of_a_local_cell_is_told_so_and_understands_it() -> None:
    objects = [with_pace(one, 2) for one in Manifests(root()).operator("key")]
    (deployment,) = [one for one in objects if one["kind"] == "Deployment"]
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    options = container["command"][3:]
    told = cell.make_context("cell", options).params
    assert (told["max_creating"], told["endpoint_node_ports"]) == (4, False)
