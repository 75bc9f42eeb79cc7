"""A data centre on one Linux machine: real hosts, a real meta cluster, and everything that they are made of.

`binaries` and `images` are the material, `hosts` and `network` the rack, `meta` and `storage` what makes hosts a
cluster, `balancer` the virtual addresses. `steps` and `raising` put it all up; `updown` is what the command line calls.
"""
