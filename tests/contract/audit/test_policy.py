"""The audit policies in a real API server: who did what is told, and no content that could be a secret."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.support.apiserver import ApiServer, launch

from homeostat.api.cluster.audit import METADATA, REQUEST
from homeostat.operators.cluster.manifests.audit import policy

pytestmark = pytest.mark.real

WORD = "plain-to-see"


@contextmanager
def audited(place: Path, level: str) -> Iterator[ApiServer]:
    (place / "policy.yaml").write_text(policy(level))
    flags = ("--audit-log-path=-", "--audit-log-mode=batch", f"--audit-policy-file={place / 'policy.yaml'}")
    server = launch(directory=place, flags=flags)
    try:
        yield server
    finally:
        server.stop()


def put(server: ApiServer, kind: str, name: str, **content: Any) -> None:
    body = {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, **content}
    server.kubectl("create", "-f", "-", stdin=json.dumps(body))


def events(log: str) -> list[dict[str, Any]]:
    """The events among the lines of a log."""
    return [json.loads(line) for line in log.splitlines() if line.startswith('{"kind":"Event"')]


@pytest.mark.parametrize("level", [METADATA, REQUEST])
def test_who_wrote_what_is_told_without_a_secret(tmp_path: Path, level: str) -> None:
    with audited(tmp_path, level) as server:
        put(server, "Secret", "word", stringData={"word": WORD})
        put(server, "ConfigMap", "word", data={"word": WORD})
        put(server, "Service", "shop", spec={"ports": [{"port": 80}]})
        server.kubectl("get", "--raw", "/readyz")
        put(server, "ServiceAccount", "shopkeeper")
        token = server.kubectl("create", "token", "shopkeeper").strip()
    log = (tmp_path / "kube-apiserver.log").read_text()
    told = events(log)
    ours = [each for each in told if each["verb"] == "create" and each["user"]["username"] == "admin"]
    writes = {each["objectRef"]["resource"]: each for each in ours}
    for resource in ("secrets", "configmaps", "services"):
        assert writes[resource]["responseStatus"]["code"] == 201
    assert ("requestObject" in writes["services"]) is (level == REQUEST)
    assert token.count(".") == 2
    assert WORD not in log
    assert token not in log
    assert not [each for each in told if each["requestURI"].startswith(("/readyz", "/livez"))]
    assert not [each for each in told if each["user"]["username"] == "system:apiserver" and each["verb"] == "list"]
