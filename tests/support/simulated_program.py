"""A simulated API server on a port of loopback. A program of its own, that imports nothing of the tests.

python simulated_program.py DIRECTORY PORT
"""

from __future__ import annotations

import asyncio
import random
import sys
from pathlib import Path

from homeostat.kit.clock import SystemClock
from homeostat.sim.apiserver.server import ApiServer
from homeostat.sim.calling import HttpsCaller
from homeostat.sim.https import context, serve


async def run(place: Path, port: int) -> None:
    """Serve until killed, with the certificates that lie in a directory."""
    certificate, key = (place / "server.crt").read_bytes(), (place / "server.key").read_bytes()
    tls = context((place / "ca.crt").read_bytes(), certificate, key)
    server = ApiServer(clock=SystemClock(), random=random.Random(0), caller=HttpsCaller())
    await serve(server, "127.0.0.1", port, tls)


if __name__ == "__main__":
    asyncio.run(run(Path(sys.argv[1]), int(sys.argv[2])))
