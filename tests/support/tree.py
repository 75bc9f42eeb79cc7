"""The repository as the tests of tests/repo see it: tracked files, parsed sources."""

from __future__ import annotations

import ast
import functools
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


@functools.cache
def tracked() -> tuple[Path, ...]:
    """Files that git tracks or would track, as paths relative to the root, without those deleted meanwhile."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return tuple(Path(name) for name in names if (ROOT / name).is_file())


def sources(*tops: str) -> Iterator[tuple[Path, ast.Module]]:
    """Python files under the top directories named, parsed."""
    for path in tracked():
        if path.suffix == ".py" and path.parts[0] in tops:
            yield path, parsed(path)


@functools.cache
def parsed(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(text_of(path), filename=str(path))


@functools.cache
def text_of(path: Path) -> str:
    """The text of a file given relative to the root."""
    return (ROOT / path).read_text(encoding="utf-8", errors="replace")


def dotted(node: ast.expr) -> str:
    """`a.b.c` for a chain of attributes, or an empty string for anything else."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=attr):
            prefix = dotted(value)
            return f"{prefix}.{attr}" if prefix else ""
        case _:
            return ""
