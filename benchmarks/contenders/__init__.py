"""The Python contenders, each a module that is run as a process of its own (see benchmarks/contender.py)."""
