"""A simulated data centre over HTTPS, and the suite that judges it: several tests at once, some of them alone."""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec import Struct
from scripts.conformance import suite
from scripts.conformance.suite import Verdict
from tests.support.front import fronted

from homeostat.kit.clock import SystemClock
from homeostat.sim.world.controllers.accounts import add_root_certificates
from homeostat.sim.world.controllers.entrance import add_entrance
from homeostat.sim.world.hosts.times import AT_ONCE
from homeostat.sim.world.world import Plan, World

ENTRANCE = ("192.0.2.1", 6443)  # what is told of the address; loopback, where it is, may not be told of
# Of these the suite says that nobody has them.
MISSING = ("foo:non-existent", "webserver:404")
PLAN = Plan(hosts=2, times=AT_ONCE, accounts=True, endpoints=True)
_SLOW_S = 900.0
# Tests that are marked so, and those that wait for minutes to see that nothing happens.
_SLOW = ("[Slow]", "0.0.0.0 hostIP", "be restarted", "never be ready")
_ALONE = ("[Serial]", "[Disruptive]")


class Court(Struct, frozen=True):
    """Where tests are run: how kubectl is called and configured, and where they may write what they say."""

    kubeconfig: Path
    kubectl: Path
    logs: Path


@asynccontextmanager
async def served() -> AsyncIterator[Court]:
    """A data centre with all its controllers, reached as any cluster."""
    clock = SystemClock()
    world = World(clock=clock, random=random.Random(0), plan=PLAN)
    logs = Path(tempfile.mkdtemp(prefix="conformance-"))
    with tempfile.TemporaryDirectory() as name:
        for image in MISSING:
            world.centre.registry.remove(image)
        async with fronted(Path(name), world.server) as kubectl:
            add_entrance(world.manager, world.client, *ENTRANCE)
            add_root_certificates(world.manager, world.client, (Path(name) / "ca.crt").read_text())
            running = asyncio.ensure_future(world.run())
            try:
                yield Court(Path(name) / "kubeconfig", kubectl.program, logs)
                if running.done():
                    running.result()
            finally:
                running.cancel()
                await asyncio.wait({running}, timeout=10)


async def judged(tests: list[str], *, at_once: int, within_s: float, heard: Callable[[Verdict], None]) -> list[Verdict]:
    """What the suite says of each test; `heard` is told of each as it comes."""
    free = asyncio.Semaphore(at_once)
    async with served() as court:
        print(f"what tests say: {court.logs}", file=sys.stderr)

        async def judge(test: str) -> Verdict:
            limit_s = _SLOW_S if any(each in test for each in _SLOW) else within_s
            async with free:
                verdict = await suite.judge(test, court.kubeconfig, court.kubectl, court.logs, limit_s)
            heard(verdict)
            return verdict

        beside = [each for each in tests if not _is_alone(each)]
        verdicts = await asyncio.gather(*map(judge, beside))
        return [*verdicts, *[await judge(each) for each in tests if _is_alone(each)]]


def _is_alone(test: str) -> bool:
    return any(each in test for each in _ALONE)
