"""`python3 -m homeostat.local.balancer`: the balancer as a process, configured by its Pod's environment."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

from homeostat.kit.clock import SystemClock
from homeostat.kit.random import system_random
from homeostat.kube.config import resolve
from homeostat.kube.connect import connect
from homeostat.local.balancer.controller import Balancer


async def _serve() -> None:
    clock, random = SystemClock(), system_random()
    async with connect(resolve(), clock=clock, random=random, field_manager="homeostat-balancer") as client:
        balancer = Balancer(
            client,
            pool=os.environ["HOMEOSTAT_BALANCER_POOL"],
            file=Path(os.environ.get("HOMEOSTAT_BALANCER_FILE", "/etc/haproxy/haproxy.cfg")),
            clock=clock,
            random=random,
        )
        running = asyncio.ensure_future(balancer.run())
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
        await asyncio.wait([running])
        if not running.cancelled():
            running.result()


if __name__ == "__main__":
    asyncio.run(_serve())
