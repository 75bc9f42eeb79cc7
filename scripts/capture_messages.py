"""Writes down how objects of built-in types are written in protobuf, for the simulated API server.

`python -m scripts.capture_messages` reads the `generated.proto` files of the Kubernetes modules that are pinned for the
minor version that the captured schemas are of, from Go's module cache, and writes one compressed file beside the code
that reads it. With `--check` nothing is written and a stale file is an error.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from scripts.capture_schemas import DATA, packed

from homeostat.sim.apiserver.schemas.captured import MINOR

ENGINE = Path(__file__).parent.parent / "engines" / "kubernetes" / MINOR
MODULES = ("k8s.io/api", "k8s.io/apimachinery", "k8s.io/apiextensions-apiserver")
FILE = DATA / f"{MINOR}-messages.json.xz"
_PACKAGE = re.compile(r"^package ([\w.]+);", re.MULTILINE)
_MESSAGE = re.compile(r"^message (\w+) \{(.*?)^\}", re.MULTILINE | re.DOTALL)
_FIELD = re.compile(r"^  (optional|repeated) ([\w.]+) (\w+) = (\d+);", re.MULTILINE)
_MAP = re.compile(r"^  map<string, ([\w.]+)> (\w+) = (\d+);", re.MULTILINE)
_SCALARS = frozenset({"string", "bytes", "bool", "int32", "int64", "double"})

Fields = dict[str, list[str]]


def captured() -> dict[str, Fields]:
    """For each message its fields by number: a name, `one`, `many` or `map`, and a scalar or the name of a message."""
    found: dict[str, Fields] = {}
    for module in MODULES:
        for file in sorted(_directory(module).rglob("generated.proto")):
            text = file.read_text()
            package = _PACKAGE.search(text)
            if package is None:
                raise ValueError(f"{file}: expected a package")
            for name, body in _MESSAGE.findall(text):
                found[f"{package[1]}.{name}"] = _fields(body, package[1])
    return found


def _fields(body: str, package: str) -> Fields:
    fields = {
        number: [name, "many" if word == "repeated" else "one", _full(type_, package)]
        for word, type_, name, number in _FIELD.findall(body)
    }
    return fields | {number: [name, "map", _full(type_, package)] for type_, name, number in _MAP.findall(body)}


def _full(type_: str, package: str) -> str:
    return type_.lstrip(".") if type_ in _SCALARS or "." in type_ else f"{package}.{type_}"


def _directory(module: str) -> Path:
    told = subprocess.run(
        ["go", "mod", "download", "-json", f"{module}@{_version(module)}"],
        cwd=ENGINE,
        capture_output=True,
        check=True,
        text=True,
    )
    return Path(json.loads(told.stdout)["Dir"])


def _version(module: str) -> str:
    found = re.search(rf"^\s+{module} => {module} (\S+)$", (ENGINE / "go.mod").read_text(), re.MULTILINE)
    if found is None:
        raise ValueError(f"{ENGINE / 'go.mod'}: expected a version of {module}")
    return found[1]


def main() -> int:
    """Write, or with --check compare; the exit code says whether all is fresh."""
    content = packed(captured())
    if "--check" not in sys.argv[1:]:
        FILE.write_bytes(content)
        return 0
    if FILE.read_bytes() == content:
        return 0
    print(f"{FILE.name}: not what these modules say; run `python -m scripts.capture_messages`", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
