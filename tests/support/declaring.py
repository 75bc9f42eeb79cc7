"""Objects and what an operator would tell of them, put into a real API server by the test itself."""

from __future__ import annotations

import json
from typing import Any

from tests.support.apiserver import ApiServer

NAMESPACE = "cli"


def put(server: ApiServer, *contents: dict[str, Any]) -> None:
    """Have these objects, whoever has them already."""
    for content in contents:
        server.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=json.dumps(content))


def put_status(server: ApiServer, name: str, **status: Any) -> None:
    """Tell something of a Cluster, beside what is told already."""
    patch = json.dumps({"status": status})
    server.kubectl("patch", "hc", name, "-n", NAMESPACE, "--subresource=status", "--type=merge", "-p", patch)


def whole(server: ApiServer, name: str) -> dict[str, Any]:
    """A Cluster as it is."""
    return dict(json.loads(server.kubectl("get", "hc", name, "-n", NAMESPACE, "-o", "json")))
