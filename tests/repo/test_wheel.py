"""An installed wheel has all that a checkout has."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
BUILD = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"
LOOK = """
from homeostat.local.binaries import engines
from homeostat.local.manifests import Manifests, root
print(engines.find("kubernetes/1.35"))
print(root())
found = Manifests(root())
print(len(found.definitions()), len(found.operator("key")), len(found.package_versions()))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the content of the wheel, as an installer lays it down."""
    place = tmp_path_factory.mktemp("wheel")
    built = subprocess.run(
        [sys.executable, "-c", BUILD, str(place)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    with zipfile.ZipFile(place / built.stdout.split()[-1]) as wheel:
        wheel.extractall(place / "site")
    return place / "site"


def run(installed: Path, code: str, *arguments: str) -> str:
    """What Python prints that finds homeostat there and everything else where it is here."""
    command = [sys.executable, "-S", "-c", f"import sys; sys.path[:0] = [{str(installed)!r}, *{sys.path!r}]\n{code}"]
    done = subprocess.run([*command, *arguments], cwd=installed, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("command", ["homeostat", "kubectl-homeostat"])
def test_its_commands_tell_the_version_of_the_wheel(installed: Path, command: str) -> None:
    (information,) = installed.glob("homeostat-*.dist-info")
    (point,) = (one for one in metadata.PathDistribution(information).entry_points if one.name == command)
    start = f"import {point.module}; sys.argv[0] = {command!r}; sys.exit({point.module}.{point.attr}())"
    assert run(installed, start, "--version") == f"homeostat {metadata.PathDistribution(information).version}\n"


def test_modules_manifests_and_examples_are_found_in_it(installed: Path) -> None:
    module, manifests, counts = run(installed, LOOK).splitlines()
    assert module == str(installed / "homeostat/local/engines/kubernetes/1.35")
    assert manifests == str(installed / "homeostat/manifests")
    assert all(int(count) > 0 for count in counts.split())


def test_nothing_that_does_not_belong_there_is_in_it(installed: Path) -> None:
    top = {path.name for path in installed.iterdir()}
    assert top == {"homeostat", next(name for name in top if name.endswith(".dist-info"))}
    assert not list(installed.rglob("*.pyc"))
