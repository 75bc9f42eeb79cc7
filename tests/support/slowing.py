"""A cell whose API server is slow for everybody but the test: each request waits on its way in."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.datacentre import Centre, on_host

_RELAY = Path(__file__).with_name("lagging.py")
_API_PORT, _RELAY_PORT = 6443, 16443
_ENDED_S = 10


@contextmanager
def slow_cell(centre: Centre, lag_s: float = 1.2) -> Iterator[None]:
    """As long as the block lasts. Connections that are open when it begins, or when it ends, are reset."""
    control, gateway = centre.inner.plan.control, centre.inner.plan.gateway
    reached = f"! -i lo -p tcp ! -s {gateway} -d {control.address} --dport {_API_PORT}"
    target = f"{control.address}:{_API_PORT}"
    command = ["ip", "netns", "exec", control.name, sys.executable, str(_RELAY), str(_RELAY_PORT), target, str(lag_s)]
    rules = (
        f"-t nat {{}} PREROUTING {reached} -j REDIRECT --to-ports {_RELAY_PORT}",
        f"{{}} INPUT {reached} -j REJECT --reject-with tcp-reset",  # only old connections are not redirected
    )

    def each(act: str) -> str:
        return " ".join(f"iptables -w {rule.format(act)};" for rule in rules)

    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as relay:
        try:
            assert relay.stdout is not None
            assert relay.stdout.readline() == "serving\n"
            on_host(centre, control.name, each("-I"))
            try:
                yield
            finally:
                on_host(centre, control.name, each("-D"))
        finally:
            relay.terminate()
            relay.wait(_ENDED_S)
