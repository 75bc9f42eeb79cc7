"""DaemonSets: a Pod on every Node that suits it, bound there by the scheduler, and replaced Node by Node.

`suiting` says which Nodes these are and what their Pods are made of, `deciding` which Pods are made and ended now.
"""
