"""The entry point of `homeostat`, also installed as `kubectl homeostat`.

It imports next to nothing, so that `homeostat --version` answers at once; the commands are in `root`.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from homeostat.cli.release import release

if TYPE_CHECKING:
    from homeostat.cli.root import cli as cli


def main() -> None:
    """Run the command line and exit."""
    if sys.argv[1:] == ["--version"]:
        sys.stdout.write(f"homeostat {release()}\n")
        return
    from homeostat.cli.root import cli

    cli.main()


def __getattr__(name: str) -> object:
    """`cli`, the root group, imported when it is asked for."""
    if name == "cli":
        from homeostat.cli.root import cli

        return cli
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
