"""What the page of figures says of simulated API servers."""

from __future__ import annotations

from benchmarks.columns import Column, Goal, Tables

_TENANT = """
## A large tenant of the simulation

One simulated API server holds 10,000 Nodes and 100,000 running Pods, and homeostat's client reads them into its slim
type: *listed* in pages of 500, *streamed* as the initial events of a watch, and as changes that are *watched*. Client
and server are one process with no network between, and a figure is the processor time of both. *Stub* gives the very
same bytes from memory, without any work; twice what that takes is half of what the client reaches. *Held* is the
growth of the resident set with all of them, against the bytes of the Pods alone.
"""

_REQUESTS = """
## Single requests to the simulation

Processor time of client and server together, in one process, one request after the other: a ConfigMap of 0.5 KB with
managed fields, and a Pod of 8 KB. A second's worth is on one core.
"""

_EMPTY = """
## An empty tenant of the simulation

*A process with one server* is the start of Python, all imports, and the first answer; *one more server* is what each
of 200 costs beside others.
"""

TABLES: Tables = {
    "tenant": (_TENANT, (
        Column("list_us", "listed, us CPU a Pod"), Column("stream_us", "streamed, us CPU a Pod"),
        Column("watch_us", "watched, us CPU a change"), Column("kb_a_pod", "held, KB a Pod", "{:.1f}"),
        Column("bytes_a_pod", "bytes of a Pod"),
    )),
    "requests": (_REQUESTS, (Column("us", "us CPU"), Column("a_second", "a second"))),
    "empty": (_EMPTY, (
        Column("kb", "resident, KB"), Column("ms", "made in, ms CPU", "{:.1f}"),
        Column("start_s", "started in, s CPU", "{:.2f}"),
    )),
}  # fmt: skip

_SERVER, _STUB = "simulated server", "stub"
GOALS = (
    Goal("a large simulated tenant listed, against a stub", "tenant", "list_us", 2.0, _STUB, of=_SERVER),
    Goal("the same streamed, against a stub", "tenant", "stream_us", 2.0, _STUB, of=_SERVER),
    Goal("the same watched, against a stub", "tenant", "watch_us", 2.0, _STUB, of=_SERVER),
    Goal("an empty simulated tenant, resident", "empty", "kb", 300, unit=" KB", of="one more server"),
    Goal("start of an empty simulation", "empty", "start_s", 1.0, unit=" s", of="a process with one server"),
)
