"""The page of figures: medians with their ranges, ratios within one run, and whether each goal is met.

A run that measures some scenarios writes their sections and goals; what the page says of others stays.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.columns import Column, Goal, Tables
from benchmarks.fleets import page as fleets
from benchmarks.tenants import page as tenants

Rounds = dict[str, list[dict[str, float]]]

HEAD = """# Benchmarks

<!-- Written by `make bench` from benchmarks/results; run it to measure on your machine. -->

Every contender is a process of its own on one core, counts what reaches its own event handler, and reports its own
CPU time (getrusage) and memory; the API server, etcd and the load run on the other core. Contenders alternate; a
figure is the median of the rounds, its range in brackets. Compare ratios, not absolute figures: the machine is
small and virtual, and other work may run beside the measurement.
"""

FOOT = (
    "Peers: kopf 1.45.2, kubernetes 37.0.1, controller-runtime 0.25.2; kube-apiserver 1.35.4.",
    "The versions are pinned in `requirements/bench.txt` and `benchmarks/controller-runtime/go.mod`.",
)

MACHINES = """
## Client and runtime on a real API server

{count} custom objects of 3.2 KB on kube-apiserver over TLS. Everybody runs handler, queue and workers, none a bare
reader. *List*: start to the last object cached and its key worked off. *Watch*: one live change, delivered, queued
and found to need nothing. *Reconcile*: one live change to `spec`, one status patch, and the echo of that patch,
which needs nothing. *Cache*: growth of the resident set from idle to all objects cached. *Settled*:
after a full collection that gives memory back to the system, for everybody.
"""

QUEUE = """
## A live change while all first reconciles are queued

The process has just started: every object waits for its first reconcile, each with one status write, which the API
server takes at about 200 to 300 a second. Then one object's `spec` changes: how long until its status says so?
"""

PODS = """
## 100,000 Pods

From a stub that serves pre-made Pods of 5.9 KB over TLS. homeostat reads JSON into its slim type; controller-runtime
reads protobuf, its default for Pods, into the whole type; *stripped* drops what a reconciler does not read before it
is cached.
"""


CLUSTER = """
## How long people wait

`homeostat up` with binaries, images and base in the cache, and a Cluster to Ready beside the same objects exported and
applied by hand with kubectl in one go (certificates made, nothing to decide: the floor). *Upgrade*: all masters from
1.34.4 to 1.35.4, with a snapshot before, checks between, and one master at a time. *Starts*: the sum of what each new
Pod took from its making to its readiness. One machine runs all hosts of the cell.
"""


IDLE = """
## What idle clusters cost

So many Clusters are Ready, on a real API server with a double of kubelets, and nothing happens for two minutes.
*Calls* are all requests of the operator to the API server of the cell, its lease and its watches that are opened anew
included. *Probes* are those that were answered, through endpoints and, of highly available Clusters, past them: each is
a new connection over TLS with the certificates that the operator issued, and five requests to a real API server; all
that they cost the operator is in its processor time. etcd is a double: a look at the stores of one cluster costs some
milliseconds every five minutes beside that. *Grown* is the resident set beyond that of an operator without Clusters.
The Clusters of a line are declared all at once, beside those of the line before; *started anew* is another process that
finds them there, as after every update of the operator. *Load average* is that of the machine in the minute before the
end: what else runs on a core empties its caches, and makes all that comes once in a while dearer.

Nearly all of it is probes, of 3 to 5 ms each, one a minute through each endpoint; a highly available Cluster has a
second one, past it. Half of a probe is its handshake of TLS, which shows that a new client can come in. The rest of a
Cluster's minute is below 1 ms: [what costs how much](../decisions/0025-clusters-at-rest.md).
"""


TABLES: Tables = {
    "machines": (MACHINES, (
        Column("list_us", "list, us CPU an object"), Column("watch_us", "watch, us an event"),
        Column("reconcile_us", "reconcile, us"), Column("cache_mb", "cache, MB"), Column("rss_mb", "RSS, MB"),
        Column("settled_mb", "settled, MB"), Column("peak_mb", "peak RSS, MB"),
    )),
    "queue": (QUEUE, (
        Column("median_s", "median, s", "{:.3f}"), Column("worst_s", "worst, s", "{:.3f}"),
        Column("still_queued", "still queued at the last probe"),
    )),
    "cluster": (CLUSTER, (
        Column("up_s", "homeostat up, warm, s", "{:.1f}"), Column("operator_s", "Cluster to Ready, s", "{:.1f}"),
        Column("kubectl_s", "by hand, s", "{:.1f}"), Column("ratio", "ratio", "{:.2f}"),
        Column("upgrade_s", "upgrade, s", "{:.1f}"), Column("starts_s", "starts, s", "{:.1f}"),
        Column("upgrade_ratio", "ratio", "{:.2f}"),
    )),
    "idle": (IDLE, (
        Column("cpu_percent", "CPU, % of a core", "{:.2f}"), Column("grown_mib", "grown, MiB", "{:.1f}"),
        Column("rss_mib", "RSS, MiB"), Column("calls_per_minute", "calls a minute"),
        Column("probes_per_minute", "probes a minute"), Column("load", "load average", "{:.1f}"),
    )),
    "pods": (PODS, (
        Column("list_us", "list, us CPU a Pod"), Column("list_cpu_s", "list, s CPU", "{:.1f}"),
        Column("rss_mb", "RSS, MB"), Column("settled_mb", "settled, MB"), Column("peak_mb", "peak RSS, MB"),
    )),
    **tenants.TABLES,
    **fleets.TABLES,
}  # fmt: skip

FORMS = {
    " MB": "{:.0f}",
    " KB": "{:.0f}",
    " s": "{:.2f}",
    " MiB": "{:.1f}",
}  # of figures with a unit; ratios take two places
# What no runtime can save: compare `kubernetes`, which is little more than these calls.
WIRE = "two events and a PATCH cost most of it in the kernel, TLS and HTTP"
BUSY = "other work on its core makes each probe dearer, see the load average"

GOALS = (
    Goal("list, against controller-runtime", "machines", "list_us", 0.5, "controller-runtime"),
    Goal(
        "list, against controller-runtime with paged lists",
        "machines",
        "list_us",
        0.5,
        "controller-runtime, paged list",
    ),
    Goal("watch, against controller-runtime", "machines", "watch_us", 0.5, "controller-runtime"),
    Goal("reconcile, against controller-runtime", "machines", "reconcile_us", 0.7, "controller-runtime"),
    Goal("list, against kopf", "machines", "list_us", 0.2, "kopf"),
    Goal("watch, against kopf", "machines", "watch_us", 0.2, "kopf"),
    Goal("reconcile, against kopf", "machines", "reconcile_us", 0.2, "kopf", why=WIRE),
    Goal("cache memory, against controller-runtime", "machines", "cache_mb", 1.0, "controller-runtime"),
    Goal("100,000 Pods, resident", "pods", "rss_mb", 400, unit=" MB"),
    Goal("100 idle clusters, processor", "idle", "cpu_percent", 1.0, unit=" %", of="100 idle", why=BUSY),
    Goal("100 idle clusters, memory", "idle", "grown_mib", 20, unit=" MiB", of="100 idle"),
    Goal(
        "100 idle highly available clusters, processor",
        "idle",
        "cpu_percent",
        1.0,
        unit=" %",
        of="100 idle, ha",
        why="two probes a minute, each with a handshake",
    ),
    Goal("100 idle highly available clusters, memory", "idle", "grown_mib", 20, unit=" MiB", of="100 idle, ha"),
    Goal("calls at 30 idle clusters, against 1", "idle", "calls_per_minute", 1.1, "1 idle", of="30 idle"),
    Goal("single Cluster to Ready, against the same objects by hand", "cluster", "ratio", 1.3, unit="x", of="single"),
    Goal("highly available Cluster to Ready, against the same by hand", "cluster", "ratio", 1.3, unit="x", of="ha"),
    *tenants.GOALS,
    *fleets.GOALS,
)


def median(rounds: Rounds, name: str, key: str) -> float:
    """The middle one of a contender's figures."""
    return statistics.median(figures[key] for figures in rounds[name])


def cell(figures: list[dict[str, float]], column: Column) -> str:
    """A median with its range."""
    values = sorted(entry[column.key] for entry in figures if column.key in entry)
    if not values:
        return "not measured"
    middle = column.form.format(statistics.median(values))
    if len(values) == 1:
        return middle
    return f"{middle} ({column.form.format(values[0])}-{column.form.format(values[-1])})"


def table(rounds: Rounds, columns: Iterable[Column]) -> list[str]:
    """One scenario as Markdown."""
    columns = tuple(columns)
    out = ["| | " + " | ".join(column.title for column in columns) + " |", "|---" * (len(columns) + 1) + "|"]
    out += [f"| {name} | " + " | ".join(cell(figures, c) for c in columns) + " |" for name, figures in rounds.items()]
    return out


def verdicts(
    results: dict[str, Rounds],
    goals: Iterable[Goal] = GOALS,
    known: Mapping[str, str] = {},
) -> list[str]:
    """Every goal with what was measured, or with the line known from before; a missed goal says by how much."""
    out = ["", "## Goals", "", "| goal | wanted | measured | |", "|---|---|---|---|"]
    for goal in goals:
        rounds = results.get(goal.scenario, {})
        if goal.of not in rounds or (goal.peer and goal.peer not in rounds):
            out += [known[goal.what]] if goal.what in known else []
            continue
        value = median(rounds, goal.of, goal.key)
        if goal.peer:
            value /= median(rounds, goal.peer, goal.key)
        form = FORMS.get(goal.unit, "{:.2f}")
        missed = f"missed by {100 * (value / goal.limit - 1):.0f} %" + (f": {goal.why}" if goal.why else "")
        verdict = "met" if value <= goal.limit else missed
        limit = form.format(goal.limit)
        out.append(f"| {goal.what} | at most {limit}{goal.unit} | {form.format(value)}{goal.unit} | {verdict} |")
    return out


def write(results: Path, page: Path) -> None:
    """Write the page from whatever raw figures there are; the rest of it stays as it is."""
    kept = {file.stem: json.loads(file.read_text()) for file in sorted(results.glob("*.json"))}
    known = sections(page.read_text() if page.exists() else "")
    out = [HEAD]
    for name, (text, columns) in TABLES.items():
        heading = text.split("\n")[1]
        if name in kept:
            out += [text.format(count="10,000"), *table(kept[name]["rounds"], columns), "", _measured(kept[name])]
        elif heading in known:
            out += ["", heading, *known[heading]]
    lines = {line.split(" | ")[0].removeprefix("| "): line for line in known.get("## Goals", ()) if line[:1] == "|"}
    out += verdicts({name: value["rounds"] for name, value in kept.items()}, known=lines)
    page.write_text("\n".join([*out, "", *FOOT, ""]))


def sections(page: str) -> dict[str, list[str]]:
    """What stands below each heading of a page, without empty lines at its end."""
    found: dict[str, list[str]] = {}
    below: list[str] = []
    for line in page.splitlines():
        if line.startswith("## "):
            below = found.setdefault(line, [])
        else:
            below.append(line)
    return {heading: "\n".join(lines).rstrip().split("\n") for heading, lines in found.items()}


def _measured(kept: Mapping[str, Any]) -> str:
    """Where a scenario was measured, and what else the machine did then."""
    machine = kept["machine"]
    where = f"Python {machine['python']}, Linux {machine['kernel']}, {machine['cpus']} cores"
    return f"Measured with {where}; load average of the machine just before: {machine['load']:.1f}."
