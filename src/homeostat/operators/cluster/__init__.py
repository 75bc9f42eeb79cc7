"""Creates and deletes business clusters: the masters of each `Cluster` as Pods beside it, and their keys.

Owns everything that bears a Cluster's uid as label or owner, and that Cluster's status. Never touches another object,
whatever its name; never changes a Cluster's spec; never makes new authorities for a cluster that has data.
"""
