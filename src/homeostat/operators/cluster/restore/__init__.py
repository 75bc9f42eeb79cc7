"""Restores a cluster's etcd from a snapshot: a new Cluster from one that it names, a loss of data after an approval.

`lost` finds a lost quorum, and `corrupt` data that nobody can decide on; `approval` tells what that costs and looks for
a person's word; `beginning` judges whether a snapshot fits; `stages` says what to do next of a restore that was
decided; `manifests` are the Pods that do it; `told` says it. All of that is pure; `act` carries it out. Nothing here
ever begins a restore that no person asked for.
"""
