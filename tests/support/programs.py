"""Stand-ins for binaries and for the Go toolchain: scripts that tell a version, and a `go` that writes them."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from pathlib import Path

from tests.support.clock import ManualClock
from tests.support.mirror import Mirror, tar_gz

from homeostat.local.binaries.components import Component, wanted

VERSION = "1.35.4"
ARCH = "amd64"
COMPONENTS = wanted((VERSION,), ARCH)


class Told:
    """Keeps what progress was shown."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.some = asyncio.Event()

    def update(self, text: str) -> None:
        self.texts.append(text)
        self.some.set()

    def __contains__(self, part: str) -> bool:
        return any(part in text for text in self.texts)


class HastyClock(ManualClock):
    """Sleeping takes no time; deadlines still wait for `advance`."""

    async def sleep(self, seconds: float) -> None:
        self.step(seconds)
        await asyncio.sleep(0)


def program(version: str) -> bytes:
    """A script that tells a version, whatever it is asked."""
    return f"#!/bin/sh\necho 'Program v{version}'\n".encode()


def install(directory: Path, version: str, *names: str) -> None:
    """Put programs of a version into a directory."""
    directory.mkdir(parents=True, exist_ok=True)
    for name in names:
        (directory / name).write_bytes(program(version))
        (directory / name).chmod(0o755)


def install_all(root: Path) -> None:
    """All components, laid out as HOMEOSTAT_BINARIES_DIR is documented."""
    for component in COMPONENTS:
        install(root / component.label, component.version, *component.names)


def publish(mirror: Mirror, component: Component) -> None:
    """A component's release, as its project lays it out."""
    for file in component.files:
        if not file.members:
            mirror.release(file.path, program(component.version))
            continue
        body = tar_gz((path, program(component.version)) for path, _ in file.members)
        name = Path(file.path).name
        mirror.files[file.path] = body
        mirror.files[file.checksums] = f"{'0' * 64}  other\n{hashlib.sha256(body).hexdigest()}  {name}\n".encode()


class FakeGo:
    """A `go` on a PATH of its own: builds scripts that tell the stamped version, and writes down what it was asked."""

    def __init__(self, directory: Path, version: str = "go1.26.8") -> None:
        self.directory = directory
        self.calls = directory / "calls"
        directory.mkdir(parents=True, exist_ok=True)
        versions = {one.engine: one.version for one in COMPONENTS}
        cases = "\n".join(f"  */{engine}) v={told};;" for engine, told in versions.items())
        self._write(
            f"""#!/bin/sh
if [ "$1" = version ]; then
  echo asked >> {directory}/asked
  if [ "$GOTOOLCHAIN" = auto ] && [ -f {directory}/newer ]; then cat {directory}/newer; exit; fi
  echo "go version {version} linux/amd64"; exit
fi
if [ "$1" = env ]; then
  echo "${{GOCACHE:-$HOME/objects}}"; echo "${{GOMODCACHE:-$HOME/modules}}"; echo "$GOTMPDIR"; exit
fi
echo "CGO_ENABLED=$CGO_ENABLED GOFLAGS=$GOFLAGS GOWORK=$GOWORK GOTOOLCHAIN=$GOTOOLCHAIN $*" >> {self.calls}
if [ -f {directory}/fail ]; then cat {directory}/fail >&2; exit 1; fi
echo internal/goarch >&2; echo k8s.io/api/core/v1 >&2
case "$PWD" in
{cases}
esac
while [ "$1" != -o ]; do shift; done
if [ -f {directory}/tells ]; then v=$(cat {directory}/tells); fi
printf '#!/bin/sh\\necho "Program v%s"\\n' "$v" > "$2"; chmod 755 "$2"
"""
        )

    def _write(self, text: str) -> None:
        (self.directory / "go").write_text(text)
        (self.directory / "go").chmod(0o755)

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which this is the only Go."""
        return {"PATH": f"{self.directory}:/usr/bin:/bin", "HOME": str(self.directory)}

    def fails(self, said: str) -> None:
        """Every build from now on."""
        (self.directory / "fail").write_text(said)

    def works(self) -> None:
        """Again."""
        (self.directory / "fail").unlink()

    def makes(self, version: str) -> None:
        """Programs that tell this version, whatever was asked for."""
        (self.directory / "tells").write_text(version)

    def can_fetch(self, version: str) -> None:
        """A newer toolchain, when it is asked to."""
        (self.directory / "newer").write_text(f"go version {version} linux/amd64\n")

    @property
    def asked(self) -> int:
        """How often it was asked for its version."""
        asked = self.directory / "asked"
        return len(asked.read_text().splitlines()) if asked.exists() else 0

    @property
    def built(self) -> list[str]:
        """The packages of all builds, in order."""
        lines = self.calls.read_text().splitlines() if self.calls.exists() else []
        return [line.split()[-1] for line in lines]


def closed_port_url() -> str:
    """An address on the loopback where nobody listens."""
    return "http://127.0.0.1:1"


def record_of(file: Path) -> dict[str, object]:
    """What the cache wrote down about a program."""
    found = json.loads((file.parent / f".{file.name}.json").read_bytes())
    return {str(key): value for key, value in found.items()}


def tree(root: Path) -> list[str]:
    """All files below a directory, partial ones included, without locks."""
    found = (Path(folder) / name for folder, _, names in os.walk(root) for name in names)
    return sorted(str(path.relative_to(root)) for path in found if path.name != ".lock")
