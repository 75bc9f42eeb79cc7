"""Which homeostat this is."""

from __future__ import annotations

import sys
from pathlib import Path


def release() -> str:
    """The version of the installed distribution.

    Read from the directory's name where it can be, because `importlib.metadata` takes longer than all the rest.
    """
    for entry in sys.path:
        for found in Path(entry or ".").glob("homeostat-*.dist-info"):
            return found.name.removeprefix("homeostat-").removesuffix(".dist-info")
    return "unknown (not installed)"
