"""Fields that stand twice in YAML, which readers of YAML take without a word; told as Go's reader tells of them."""

from __future__ import annotations

import json
from collections.abc import Iterator

import yaml


def in_yaml(body: bytes) -> list[str]:
    """A line for each of them, in the order of the text."""
    node = yaml.compose(body, Loader=yaml.CSafeLoader)
    return list(_repeats(node)) if node is not None else []


def _repeats(node: yaml.Node) -> Iterator[str]:
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _repeats(item)
    elif isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                yield f"line {key.start_mark.line + 1}: key {json.dumps(key.value)} already set in map"
            seen.add(key.value)
            yield from _repeats(value)
