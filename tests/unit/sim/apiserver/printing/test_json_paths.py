"""Where printer columns find their values."""

from __future__ import annotations

from typing import Any

import pytest

from homeostat.sim.apiserver.printing.json_paths import found

READY = {"type": "Ready", "status": "True", "n": 2}
VALUE = {"spec": {"size": 3, "a.b": "dotted", "list": [1, 2, 3]}, "status": {"conditions": [{"type": "Old"}, READY]}}


@pytest.mark.parametrize(
    ("path", "values"),
    [
        (".spec.size", [3]),
        ("spec.size", [3]),
        (".spec['a.b']", ["dotted"]),
        (r".spec.a\.b", ["dotted"]),
        (".spec.list[1]", [2]),
        (".spec.list[-1]", [3]),
        (".spec.list[*]", [1, 2, 3]),
        (".spec.list[9]", []),
        ('.status.conditions[?(@.type=="Ready")].status', ["True"]),
        (".status.conditions[?(@.type!='Old')].n", [2]),
        (".status.conditions[?(@.n==2)].type", ["Ready"]),
        (".status.conditions[?(@.n)].type", ["Ready"]),
        (".status.conditions[*].type", ["Old", "Ready"]),
        (".nothing.here", []),
        (".spec.size.deeper", []),
        ("..spec", []),
    ],
)
def test_a_path_leads_to_its_values(path: str, values: list[Any]) -> None:
    assert found(path, VALUE) == values
