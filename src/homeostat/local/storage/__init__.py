"""Volumes of the cell: local-path-provisioner as default StorageClass, on each host's own disk.

WaitForFirstConsumer puts a volume where its Pod is scheduled, and keeps the Pod there. Volumes lie in a directory that
is bound from the host's disk: they survive Pod restarts and power loss, and are removed when their claim is released.
"""
