"""Faults by name: what can go wrong with hosts, racks, switches and images, and how each is undone.

`inject(world, "disk-slow", on="host-a1", times=20)` begins one; what it gives back ends it. The catalogue is a table of
values, a file for each part of a host; what they do, they do by the methods of hosts that tests may call as well.
"""
