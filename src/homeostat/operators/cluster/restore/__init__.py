"""Restores a cluster's etcd from a snapshot: a new Cluster from one that it names, a lost quorum after an approval.

`lost` tells of a lost quorum and looks for the approval; `beginning` judges whether a snapshot fits; `stages` says what
to do next of a restore that was decided; `manifests` are the Pods that do it; `told` says it. All of that is pure;
`act` carries it out. Nothing here ever begins a restore that no person asked for.
"""
