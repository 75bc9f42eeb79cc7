"""The entries of managedFields: read, written in order, refused where they make no sense."""

from __future__ import annotations

from typing import Any

import pytest

from homeostat.sim.apiserver.fields import entries
from homeostat.sim.apiserver.fields.paths import Unreadable


def entry(manager: str = "m", operation: str = "Update", **more: Any) -> dict[str, Any]:
    shown = {"manager": manager, "operation": operation, "apiVersion": "v1", "fieldsType": "FieldsV1"}
    return shown | {"time": "2026-01-01T12:00:00Z", "fieldsV1": {"f:a": {}}} | more


def test_entries_stand_by_operation_time_name_version_and_subresource() -> None:
    ordered = [
        entry("z", "Apply"),
        entry("a", "Apply", time="2026-01-01T13:00:00Z"),
        entry("a"),
        entry("a", subresource="status"),
        entry("a", apiVersion="v2"),
        entry("b"),
        entry("a", apiVersion="v3", time="2026-01-01T13:00:00Z"),
    ]

    assert entries.written(entries.read(reversed(ordered))) == ordered


def test_one_applier_has_one_entry_whatever_the_version() -> None:
    found = entries.read([entry("a", "Apply"), entry("a", "Apply", apiVersion="v2")])

    assert [each.api_version for each in found.values()] == ["v2"]


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (entry(operation=""), "operation must be `Apply` or `Update`"),
        (entry(apiVersion=""), "apiVersion must not be empty"),
        (entry(fieldsType=""), "missing fieldsType in managed fields entry 0"),
        (entry(fieldsType="FieldsV2"), 'invalid fieldsType "FieldsV2" in managed fields entry 0'),
        (entry(fieldsV1={"nonsense": {}}), "missing colon: nonsense"),
        ("text", "operation must be `Apply` or `Update`"),
    ],
)
def test_an_entry_that_makes_no_sense_is_unreadable(raw: Any, message: str) -> None:
    with pytest.raises(Unreadable, match=message.replace("`", ".")):
        entries.read([raw])
