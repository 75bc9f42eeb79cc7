"""Selectors as text: in the words of a query, with the keys in order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def selector_text(selector: Mapping[str, Any]) -> str:
    """A selector of labels as one writes it in a query; nothing for one that chooses all."""
    terms = [(key, f"{key}={value}") for key, value in (selector.get("matchLabels") or {}).items()]
    terms += [(each.get("key", ""), _term(each)) for each in selector.get("matchExpressions") or ()]
    return ",".join(text for _, text in sorted(terms))


def _term(each: Mapping[str, Any]) -> str:
    key, values = each.get("key", ""), ",".join(sorted(str(one) for one in each.get("values") or ()))
    match each.get("operator"):
        case "In":
            return f"{key} in ({values})"
        case "NotIn":
            return f"{key} notin ({values})"
        case "Exists":
            return str(key)
        case _:
            return f"!{key}"
