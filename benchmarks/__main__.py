"""Measure, keep the raw figures, write the page: see `python -m benchmarks --help`."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import fcntl
import itertools
import json
import os
import platform
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

from tests.support.real import require

from benchmarks import datacentre, entries, idle, report
from benchmarks.contender import ROOT, Entry
from benchmarks.fleets.measuring import COUNTS, cost_of_fleets
from benchmarks.load import Load
from benchmarks.scenarios import (
    FULL,
    SMALL,
    Figures,
    Size,
    cost_of_machines,
    cost_of_pods,
    delay_behind_first_reconciles,
)
from benchmarks.servers import api_server, pod_stub
from benchmarks.tenants import running as tenants

RESULTS = ROOT / "benchmarks" / "results"
GO_MODULE = ROOT / "benchmarks" / "controller-runtime"
Rounds = dict[str, list[Figures]]


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="measure homeostat beside its peers")
    parser.add_argument(
        "scenarios",
        nargs="*",
        metavar="SCENARIO",
        help="machines, queue, pods, idle, cluster, fleets, tenant, requests, empty (default: all that need no root)",
    )
    parser.add_argument("--small", action="store_true", help="try the machinery out; the figures mean nothing")
    parser.add_argument("--rounds", type=int, default=3, help="how often each contender runs; medians are shown")
    parser.add_argument("--counts", type=_numbers, default=idle.COUNTS, help="of idle clusters, such as 1,100")
    parser.add_argument("--fleets", type=_numbers, default=COUNTS, help="sizes of simulated fleets, such as 30,1000")
    parser.add_argument("--topologies", type=_words, default=idle.TOPOLOGIES, help="of idle clusters: single,ha")
    parser.add_argument("--only", action="append", default=[], help="contenders to run, by the start of their name")
    return parser.parse_args()


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(map(int, _words(text)))


@contextlib.contextmanager
def machine_to_ourselves() -> Iterator[None]:
    """One measurement at a time: where HOMEOSTAT_BENCH_LOCK names a file, hold its lock."""
    name = os.environ.get("HOMEOSTAT_BENCH_LOCK", "")
    if not name:
        yield
        return
    with Path(name).open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def build_go() -> Path:
    """The Go programs, built where the pinned module lies; the Go cache makes the second time quick."""
    target = ROOT / "benchmarks" / "results" / "bin"
    target.mkdir(parents=True, exist_ok=True)
    say("building the controller-runtime contender and the Pod stub")
    command = ["go", "build", "-mod=readonly", "-trimpath", "-o", f"{target}/", "./contender", "./podstub"]
    subprocess.run(command, cwd=GO_MODULE, check=True)
    return target


async def alternate(
    takers: list[Entry], rounds: int, measure: Callable[[Entry, str], Awaitable[Figures]], only: list[str]
) -> Rounds:
    """Every contender once per round, so that a noisy minute hurts all alike."""
    results: Rounds = {}
    for number in range(rounds):
        for entry in takers:
            if only and not any(entry.name.startswith(name) for name in only):
                continue
            # Names each contender's own changes, so that the next one finds something to change.
            run = f"{entry.name}-{number}-{os.getpid()}".replace(" ", "-").replace(",", "")
            figures = await measure(entry, run)
            say(f"  {entry.name}: " + ", ".join(f"{key} {value:.4g}" for key, value in figures.items()))
            results.setdefault(entry.name, []).append(figures)
    return results


async def on_real_server(go: Path, size: Size, options: argparse.Namespace) -> dict[str, Rounds]:
    """The scenarios that need a real API server full of machines."""
    results: dict[str, Rounds] = {}
    wanted = options.scenarios
    async with api_server() as server:
        load = Load.on(server)
        async with load.session:
            await load.define()
            say(f"making {size.machines} machines")
            size_of_one = await load.make(size.machines)
            say(f"one machine is {size_of_one} bytes")

            async def costs(entry: Entry, run: str) -> Figures:
                with machine_to_ourselves():
                    return await cost_of_machines(entry, server, load, size, run)

            async def delays(entry: Entry, run: str) -> Figures:
                with machine_to_ourselves():
                    return await delay_behind_first_reconciles(entry, server, load, size, f"queue-{run}")

            if not wanted or "machines" in wanted:
                results["machines"] = await alternate(entries.on_machines(go), options.rounds, costs, options.only)
            if not wanted or "queue" in wanted:
                results["queue"] = await alternate(entries.with_queues(go), options.rounds, delays, options.only)
    return results


async def on_stub(go: Path, size: Size, options: argparse.Namespace) -> dict[str, Rounds]:
    """The scenario with a cluster's worth of Pods."""
    if options.scenarios and "pods" not in options.scenarios:
        return {}
    async with pod_stub(go / "podstub", size.pods) as (kubeconfig, greeting):
        say("the Pod stub says " + greeting.decode().strip())

        async def costs(entry: Entry, _run: str) -> Figures:
            with machine_to_ourselves():
                return await cost_of_pods(entry, kubeconfig, size)

        return {"pods": await alternate(entries.on_pods(go), options.rounds, costs, options.only)}


def in_data_centre(rounds: int) -> Rounds:
    """The waits of people; needs root, because real hosts are booted for it."""
    measured: Rounds = {}
    with machine_to_ourselves(), datacentre.data_centre("bench") as (kubeconfig, up_s):
        cell = datacentre.Cell(str(require("kubectl")), kubeconfig)
        for number, topology in itertools.product(range(rounds), datacentre.TOPOLOGIES):
            figures = {"up_s": up_s, **datacentre.measure(cell, f"bench-{topology}-{number}", topology)}
            say(f"  {topology}: " + ", ".join(f"{key} {value:.4g}" for key, value in figures.items()))
            measured.setdefault(topology, []).append(figures)
    return measured


async def of_idle_clusters(options: argparse.Namespace) -> Rounds:
    """What clusters cost with which nothing happens; one round, for each count is measured for minutes."""
    say("declaring clusters and leaving them in peace")
    counts, while_s = ((1, 3), 5.0) if options.small else (options.counts, idle.WHILE_S)
    with machine_to_ourselves():
        measured = await idle.cost_of_idle(counts, while_s, options.topologies)
    return {name: [one[name] for one in measured] for name in measured[0]}


def of_tenants(options: argparse.Namespace) -> dict[str, Rounds]:
    """What a simulated API server costs by itself."""
    results: dict[str, Rounds] = {}
    for scenario in tenants.SCENARIOS:
        if not options.scenarios or scenario in options.scenarios:
            say(f"measuring simulated servers: {scenario}")
            with machine_to_ourselves():
                results[scenario] = tenants.rounds_of(scenario, options.rounds, is_small=options.small)
    return results


def say(text: str) -> None:
    """Progress, on stderr."""
    print(text, file=sys.stderr, flush=True)


async def measure(options: argparse.Namespace) -> None:
    """Run what was asked for and keep what came out beside what earlier runs of other scenarios left."""
    size = SMALL if options.small else FULL
    load, needs_go = os.getloadavg()[0], not options.scenarios or {"machines", "queue", "pods"} & set(options.scenarios)
    go = build_go() if needs_go else Path()
    results: dict[str, Rounds] = {}
    if "cluster" in options.scenarios:  # before the processors are shared out: a data centre takes them all
        results["cluster"] = in_data_centre(options.rounds)
    os.sched_setaffinity(0, {0})
    if not options.scenarios or "idle" in options.scenarios:
        results["idle"] = await of_idle_clusters(options)
    if not options.scenarios or {"machines", "queue"} & set(options.scenarios):
        results |= await on_real_server(go, size, options)
    if "fleets" in options.scenarios:
        results["fleets"] = await cost_of_fleets((2, 4) if options.small else options.fleets, say)
    results |= await on_stub(go, size, options)
    results |= of_tenants(options)
    if options.small:
        say("small sizes: nothing is written")
        return
    RESULTS.mkdir(parents=True, exist_ok=True)
    for scenario, rounds in results.items():
        here = {"cpus": os.cpu_count(), "python": platform.python_version(), "kernel": platform.release()}
        machine = {**here, "load": load}
        kept = {"machine": machine, "rounds": rounds}
        (RESULTS / f"{scenario}.json").write_text(json.dumps(kept, indent=1))
    report.write(RESULTS, ROOT / "docs" / "reference" / "benchmarks.md")


if __name__ == "__main__":
    asyncio.run(measure(arguments()))
