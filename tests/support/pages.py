"""Commands that pages show, for tests that run them as they stand."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from tests.support.tree import text_of


def commands(page: str, heading: str, program: str) -> list[list[str]]:
    """What shell blocks below a heading show of a program, each command as words, without the program's own name."""
    _, _, below = text_of(Path(page)).partition(f"\n## {heading}\n")
    blocks = re.findall(r"^```sh\n(.*?)^```", below.partition("\n## ")[0], flags=re.M | re.S)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    words = (shlex.split(line, comments=True) for line in lines)
    return [rest for name, *rest in filter(None, words) if name == program]
