"""Which homeostat this is, and by which name it was called."""

from __future__ import annotations

import os
import sys

_PREFIX, _SUFFIX = "homeostat-", ".dist-info"


def release() -> str:
    """The version of the installed distribution.

    Read from the name of its directory: `importlib.metadata` and even `pathlib` take longer to import than the rest.
    """
    for entry in sys.path:
        if not os.path.isdir(entry or "."):  # noqa: PTH112  (see above)
            continue
        for name in os.listdir(entry or "."):  # noqa: PTH208  (see above)
            if name.startswith(_PREFIX) and name.endswith(_SUFFIX):
                return name[len(_PREFIX) : -len(_SUFFIX)]
    return "unknown (not installed)"


def program_name(path: str) -> str:
    """How people called us, for usage lines."""
    return "kubectl homeostat" if os.path.basename(path).startswith("kubectl-homeostat") else "homeostat"  # noqa: PTH119  (see above)
