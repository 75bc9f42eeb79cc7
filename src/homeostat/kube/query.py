"""Query strings, escaped as the API server reads them."""

from __future__ import annotations

from urllib.parse import quote


def query_string(query: tuple[tuple[str, str], ...]) -> str:
    """`?key=value&...`, or nothing at all."""
    if not query:
        return ""
    return "?" + "&".join(f"{quote(key, safe='')}={quote(value, safe='')}" for key, value in query)
