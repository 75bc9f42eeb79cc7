"""What homeostat costs beside its peers, measured in one run on one machine, so that ratios mean something.

`make bench` runs everything and writes docs/reference/benchmarks.md. Every contender is a process of its own that
reports its own CPU time and memory; the load and the API server stay on the other core.
"""
