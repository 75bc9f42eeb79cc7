"""Writes to an object, said in a few words."""

from __future__ import annotations

from typing import Any

from tests.support.judging import Write


def apply(body: Any, manager: str = "one", *, force: bool = False, to: str = "") -> Write:
    return Write("apply", body, manager, force, to)


def create(body: Any, manager: str = "one") -> Write:
    return Write("create", body, manager)


def put(body: Any, manager: str = "one", to: str = "") -> Write:
    return Write("put", body, manager, subresource=to)


def merge(body: Any, manager: str = "one", to: str = "") -> Write:
    return Write("merge", body, manager, subresource=to)


def strategic(body: Any, manager: str = "one") -> Write:
    return Write("strategic", body, manager)


def json(*operations: dict[str, Any], manager: str = "one") -> Write:
    return Write("json", list(operations), manager)
