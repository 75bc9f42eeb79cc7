"""Snapshots of business clusters' etcd: what is kept about each, where they are put, when they are due, which may go.

Owns the port `SnapshotStore`, the manifest, and the pure decisions on retention and schedule. Takes and restores no
snapshot by itself, and names no implementation of the port.
"""
