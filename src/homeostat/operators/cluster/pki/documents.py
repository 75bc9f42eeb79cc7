"""Documents of which masters and people read the YAML."""

from __future__ import annotations

from typing import Any

import yaml

# libyaml writes the same as PyYAML's own writer, many times as fast.
_WRITER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def as_yaml(document: Any) -> bytes:
    """Plain values in the order in which they stand."""
    written: str = yaml.dump(document, Dumper=_WRITER, sort_keys=False)
    return written.encode()
