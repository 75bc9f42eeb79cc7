"""Writes the CRDs, the admission policy and the field reference from the types.

`python -m homeostat.api.generate` writes into the source tree; with `--check` nothing is written, and a file that is
older than the types, missing or left over is an error.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from homeostat.api.catalogue import KINDS
from homeostat.api.cluster.v1alpha1 import CLUSTER
from homeostat.api.crd import custom_resource_definition
from homeostat.api.protection import deletion_protection
from homeostat.api.reference import field_reference

ROOT = Path(__file__).parents[3]
CRDS = Path("deploy/crds")
_NOTICE = "# Generated from the types in homeostat.api by `make docs`; edit those instead.\n"


def generated() -> dict[Path, str]:
    """Every generated file, by its path from the root of the source tree."""
    crds = {kind.resource: custom_resource_definition(kind, definition) for kind, definition in KINDS}
    files = {CRDS / f"{resource.group}_{resource.plural}.yaml": manifest(crd) for resource, crd in crds.items()}
    files[CRDS / "deletion-protection.yaml"] = manifest(*deletion_protection(CLUSTER.resource))
    files[Path("docs/reference/fields.md")] = field_reference(tuple(crds.values()))
    return files


def manifest(*objects: Mapping[str, Any]) -> str:
    """Objects as one YAML file."""
    texts = [yaml.safe_dump(item, sort_keys=False, width=120, allow_unicode=True) for item in objects]
    return _NOTICE + "---\n".join(texts)


def stale(root: Path, files: Mapping[Path, str]) -> list[str]:
    """What in the tree is not as generated, one line for each file."""
    found = []
    for path, text in files.items():
        file = root / path
        if not file.exists():
            found.append(f"{path}: missing; run `make docs`")
        elif file.read_text() != text:
            found.append(f"{path}: older than the types it is generated from; run `make docs`")
    left_over = {path.relative_to(root) for path in (root / CRDS).glob("*.yaml")} - set(files)
    return found + [f"{path}: not generated from any type; remove it" for path in sorted(left_over)]


def write(root: Path, files: Mapping[Path, str]) -> None:
    """Put the files into the tree."""
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


def main(arguments: Sequence[str]) -> int:
    """Write, or with --check compare; the exit code says whether all is fresh."""
    unknown = [argument for argument in arguments if argument != "--check"]
    if unknown:
        sys.stderr.write(f"usage: python -m homeostat.api.generate [--check]; found {unknown[0]!r}\n")
        return 2
    if "--check" not in arguments:
        write(ROOT, generated())
        return 0
    found = stale(ROOT, generated())
    sys.stderr.writelines(f"{line}\n" for line in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
