"""`up` may be repeated, killed anywhere and resumed; `down` leaves nothing."""

from __future__ import annotations

import contextlib
import random
import subprocess
import time

import pytest
from tests.support.datacentre import Centre, traces

from homeostat.local.plan import Place

pytestmark = pytest.mark.real

SEED = 20261123
KILLS = 3


def test_status_tells_what_is_true_and_every_part_has_a_log(centre: Centre) -> None:
    status = centre.status()
    assert (status["is_ready"], status["message"]) == (True, "")
    assert [host["node"] for host in status["hosts"]] == ["Ready"] * 4
    nodes = {node["metadata"]["name"] for node in centre.get("nodes")["items"]}
    assert nodes == {host["name"] for host in status["hosts"]}
    for part in ("up", f"kubelet@{centre.name}-a1", "apiserver", "balancer", f"console/{centre.name}-control"):
        assert centre.homeostat("logs", part, "--tail", "3").stdout.strip(), part


def test_up_a_second_time_changes_nothing(centre: Centre) -> None:
    before = {pod["metadata"]["uid"] for pod in centre.get("pods", "-A")["items"]}
    began = time.monotonic()
    centre.homeostat("up")
    took = time.monotonic() - began
    assert {pod["metadata"]["uid"] for pod in centre.get("pods", "-A")["items"]} == before
    assert took < 60, f"up on a running data centre took {took:.0f} s"


def test_up_resumes_after_kills_beside_another_and_down_leaves_nothing(centre: Centre) -> None:
    small = Centre("thalf")
    chance = random.Random(SEED)
    try:
        for _ in range(KILLS):
            with subprocess.Popen(
                [*small.command("up"), "--hosts", "1"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            ) as process:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(chance.uniform(2, 25))
                process.kill()
        small.homeostat("up", "--hosts", "1")
        assert small.status()["is_ready"] is True
        prefix = small.inner.plan.range.removesuffix("0.0/16")
        assert traces(small, prefix)
        assert reaches(centre.inner.plan.meta[0], centre.inner.plan.control)
        assert not reaches(centre.inner.plan.meta[0], small.inner.plan.control)
    finally:
        small.homeostat("down")
    assert traces(small, prefix) == []
    assert "there is none" in small.homeostat("down").stdout


def reaches(place: Place, other: Place) -> bool:
    """Whether a host can open a connection to another's SSH."""
    probe = ("timeout", "2", "bash", "-c", f"</dev/tcp/{other.address}/22")
    return subprocess.run(["ip", "netns", "exec", place.name, *probe], capture_output=True, check=False).returncode == 0
