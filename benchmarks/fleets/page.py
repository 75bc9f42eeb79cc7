"""What the page of figures says of fleets in simulated cells."""

from __future__ import annotations

from benchmarks.columns import Column, Goal, Tables

_FLEETS = """
## What a fleet costs

So many single Clusters in one simulated cell, which has hosts for them and creates and moves as many at once as it has
hosts (twice as many, and as many). World and operator are one process on virtual time, in which each second of the
processor is told apart by whose step of a task it was; what the operator asks of an API server is the world's.
*Create*: all are declared at one instant, until all are Ready. *Idle*: ten minutes in which nothing happens; *a
cluster-day* is what a day of that costs. *Upgrade*: all to another minor; *rollback*: all back. *Faults*: one host in a
hundred, one at least, loses its power for ten minutes, until all are Ready. *Delete*: until nothing is left. *Calls*
are those of the operator to the API server of the cell, *changes* those of its objects by anybody, *steps* those of
tasks: these three follow from the code, so compare them first; the processor's time is that of a machine on which
other things run.
"""

TABLES: Tables = {
    "fleets": (_FLEETS, (
        Column("virtual_s", "virtual time, s"), Column("world_ms", "world, ms CPU a cluster"),
        Column("operator_ms", "operator, ms CPU a cluster"), Column("calls", "calls a cluster", "{:.1f}"),
        Column("all_calls", "calls in all"), Column("changes", "changes a cluster", "{:.1f}"),
        Column("steps", "steps a cluster"), Column("changes_per_s", "changes, per s CPU"),
        Column("day_s", "a cluster-day, s CPU", "{:.1f}"), Column("rss_mib", "RSS of both, MiB"),
    )),
}  # fmt: skip

GOALS = (
    Goal(
        "a Cluster of a fleet of 100 to Ready (10,000 in 15 minutes of two cores)",
        "fleets",
        "both_s",
        0.18,
        unit=" s",
        of="100: create",
        why="of the processor, of world and operator; on a busy machine",
    ),
    Goal("a Cluster of a fleet of 100, against 10, in steps", "fleets", "steps", 1.1, "10: create", of="100: create"),
    Goal("calls of 100 idle, against 10", "fleets", "all_calls", 1.1, "10: idle", of="100: idle"),
)
