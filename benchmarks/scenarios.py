"""What is measured, and how a figure is made of two readings of a contender's own counters."""

from __future__ import annotations

import asyncio
import statistics
from dataclasses import dataclass

from benchmarks.contender import Entry, Running, Stats, running
from benchmarks.load import Load
from benchmarks.machines import name_of
from benchmarks.servers import Server

Figures = dict[str, float]


@dataclass(frozen=True)
class Size:
    """How much of everything; the full size is what the docs show, the small one tries the machinery out."""

    machines: int = 10_000
    watched: int = 1_500
    reconciled: int = 800
    probes: int = 12
    pods: int = 100_000


FULL = Size()
SMALL = Size(machines=500, watched=200, reconciled=100, probes=2, pods=2_000)


def micros(before: Stats, after: Stats, count: int) -> float:
    """CPU microseconds per item between two readings."""
    return (after.cpu_s - before.cpu_s) * 1e6 / count


async def cost_of_machines(entry: Entry, server: Server, load: Load, size: Size, run: str) -> Figures:
    """List, live watch and reconcile on the real API server, one after the other in one process."""
    async with running(entry, kubeconfig=str(server.kubeconfig), run=run) as contender:
        idle = await contender.stats()
        await contender.tell("start")
        listed = await contender.until(
            lambda s: s.objects >= size.machines and s.reconciles >= size.machines, "the first list", 600
        )
        await asyncio.gather(load.change(range(size.watched), f"watch {run}"), nothing_else_happens(contender))
        watched = await contender.until(lambda s: s.events - listed.events >= size.watched, "watching")
        await contender.tell("reconcile")
        await contender.tell("settle")
        begin = await contender.stats()
        await load.change(range(size.watched, size.watched + size.reconciled), f"reconcile {run}")
        done = await contender.until(
            lambda s: s.writes >= size.reconciled and s.events - begin.events >= 2 * size.reconciled, "reconciling"
        )
    return {
        "list_us": micros(idle, listed, size.machines),
        "watch_us": micros(listed, watched, size.watched),
        "reconcile_us": micros(begin, done, size.reconciled),
        "cache_mb": listed.rss_mb - idle.rss_mb,
        "settled_mb": begin.rss_mb,
        "rss_mb": listed.rss_mb,
        "peak_mb": done.peak_rss_mb,
        "errors": done.errors,
    }


async def nothing_else_happens(contender: Running) -> None:
    """Read the figures once while the load runs, as the other phases do, so that polling costs the same in each."""
    await contender.stats()


async def delay_behind_first_reconciles(entry: Entry, server: Server, load: Load, size: Size, run: str) -> Figures:
    """How long a live change waits while every machine's first reconcile, with a status write each, is queued."""
    delays = []
    async with running(entry, kubeconfig=str(server.kubeconfig), run=run) as contender:
        await contender.tell("reconcile")
        await contender.tell("start")
        await contender.until(lambda s: s.synced and s.writes > 0, "the first write", 600)
        for probe in range(size.probes):
            name = name_of(size.machines - 1 - probe * 37)
            delays.append(await load.seconds_until_observed(name, f"probe {run} {probe}", run, limit_s=120))
            if (await contender.stats()).writes >= size.machines:
                break
        left = size.machines - (await contender.stats()).writes
    return {"median_s": statistics.median(delays), "worst_s": max(delays), "probes": len(delays), "still_queued": left}


async def cost_of_pods(entry: Entry, kubeconfig: str, size: Size) -> Figures:
    """The cache of a whole cluster's Pods, filled from the stub."""
    async with running(entry, kubeconfig=kubeconfig, run="pods") as contender:
        idle = await contender.stats()
        await contender.tell("start")
        full = await contender.until(
            lambda s: s.objects >= size.pods and s.reconciles >= size.pods, "listing Pods", 600
        )
        await contender.tell("settle")
        settled = await contender.stats()
    return {
        "list_us": micros(idle, full, size.pods),
        "list_cpu_s": full.cpu_s - idle.cpu_s,
        "rss_mb": full.rss_mb,
        "settled_mb": settled.rss_mb,
        "peak_mb": full.peak_rss_mb,
    }
