"""Where the pinned Go modules lie: inside an installed package, or at the root of a checkout."""

from __future__ import annotations

import re
from pathlib import Path

from homeostat.local.binaries.errors import BinariesError

_LOCAL = Path(__file__).resolve().parent.parent  # homeostat/local
_PLACES = (_LOCAL / "engines", _LOCAL.parents[2] / "engines")


def find(engine: str, places: tuple[Path, ...] = _PLACES) -> Path:
    """The directory with the go.mod and go.sum of an engine. Raises BinariesError."""
    for place in places:
        directory = place / engine
        if (directory / "go.mod").is_file() and (directory / "go.sum").is_file():
            return directory
    looked = " and ".join(str(place) for place in places)
    known = sorted({str(mod.parent.relative_to(place)) for place in places for mod in place.glob("*/*/go.mod")})
    raise BinariesError(
        f"engine {engine}: expected its go.mod and go.sum below {looked}, found {', '.join(known) or 'none'}; "
        "use a version that homeostat builds, or give binaries with HOMEOSTAT_BINARIES_DIR"
    )


def wanted_go(directory: Path) -> str:
    """The Go version that a module asks for at least."""
    found = re.search(r"^go (\S+)", (directory / "go.mod").read_text(), re.MULTILINE)
    return found.group(1) if found else "1.21"
