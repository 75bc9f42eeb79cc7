"""Where the operators of a real data centre keep snapshots, for the time of a test."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from tests.support.datacentre import Centre

_HOME, _STORE, _CREDENTIALS = "homeostat-system", "homeostat-snapshots", "homeostat-snapshot-credentials"


@contextmanager
def store_at(centre: Centre, address: str, credentials: Mapping[str, str]) -> Iterator[None]:
    """Another store than the data centre's own; told as docs/howto/backups.md says, and taken back in the end."""
    before = centre.get("configmap", _STORE, "-n", _HOME)["data"]["store"]
    given = (f"--from-literal={name}={value}" for name, value in credentials.items())
    centre.kubectl("create", "secret", "generic", _CREDENTIALS, "-n", _HOME, *given)
    try:
        _tell(centre, address)
        yield
    finally:
        centre.kubectl("delete", "secret", _CREDENTIALS, "-n", _HOME)
        _tell(centre, before)


def _tell(centre: Centre, address: str) -> None:
    wish = json.dumps({"data": {"store": address}})
    centre.kubectl("patch", "configmap", _STORE, "-n", _HOME, "--type=merge", "-p", wish)
    centre.kubectl("rollout", "restart", "deployment", "homeostat", "-n", _HOME)
    centre.kubectl("rollout", "status", "deployment", "homeostat", "-n", _HOME, "--timeout=120s")
