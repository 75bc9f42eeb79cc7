"""The backup loop: takes snapshots of each cluster's etcd, stores them, and deletes those that are not kept any longer.

A loop of its own beside the one that keeps the masters, so that a store that is slow, full or gone holds up nothing
else. It owns `status.backup` and the condition `BackedUp`, and changes nothing of a cluster: etcd is only read.
"""
