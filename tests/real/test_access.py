"""A kubeconfig that was handed out works until its end, and not a moment longer."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from tests.support.business import homeostat
from tests.support.datacentre import Centre, eventually
from tests.support.masters import Masters, raised

from homeostat.cli.exits import Exit

pytestmark = [pytest.mark.real, pytest.mark.soak]  # Kubernetes signs for ten minutes or more

NAMESPACE, NAME = "real-access", "shop"
SHORTEST_S = 600
LATE_S = 30  # that a question may take on a machine that is busy
Say = Callable[[str], None]


@pytest.fixture(scope="module")
def shop(centre: Centre) -> Iterator[Masters]:
    with raised(centre, NAMESPACE, NAME, "cluster.yaml") as masters:
        yield masters


def asked(shop: Masters, file: Path) -> tuple[bool, str]:
    """Whether a read with a kubeconfig is answered, and what kubectl complains of."""
    command = [str(shop.centre.inner.kubectl), "--kubeconfig", str(file), "get", "namespaces"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return done.returncode == 0, done.stderr


def end(file: Path) -> datetime:
    """When the certificate in a kubeconfig runs out."""
    user = yaml.safe_load(file.read_text())["users"][0]["user"]
    certificate = x509.load_pem_x509_certificate(base64.b64decode(user["client-certificate-data"]))
    return certificate.not_valid_after_utc


def test_a_kubeconfig_of_the_shortest_life_works_until_its_end_and_is_then_refused(
    shop: Masters, tmp_path: Path, say: Say
) -> None:
    file = tmp_path / "short.kubeconfig"
    wish = ("kubeconfig", NAME, "-n", NAMESPACE, "-o", str(file))
    refused = homeostat(shop.centre, *wish, "--ttl", "9m59s", check=False)
    assert (refused.returncode, "expected 10m or more" in refused.stderr) == (Exit.USAGE, True), refused.stderr
    homeostat(shop.centre, *wish, "--ttl", "10m")
    assert file.stat().st_mode & 0o077 == 0
    left_s = (end(file) - datetime.now(UTC)).total_seconds()
    assert SHORTEST_S - 60 <= left_s <= SHORTEST_S
    assert asked(shop, file) == (True, "")
    before = shop.lives()

    def refuses() -> str:
        """Until it is refused it is answered, whatever the hour."""
        is_answered, why = asked(shop, file)
        assert is_answered or datetime.now(UTC) >= end(file), why
        return why

    why = eventually(refuses, within_s=left_s + LATE_S, every_s=1)
    say(f"a kubeconfig is refused {(datetime.now(UTC) - end(file)).total_seconds():.1f} s after its end")
    assert "must be logged in" in why or "Unauthorized" in why, why
    homeostat(shop.centre, *wish, "--ttl", "10m")  # another one is had at once
    assert asked(shop, file) == (True, "")
    assert shop.lives() == before
