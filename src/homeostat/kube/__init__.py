"""The Kubernetes API as seen by a client: configuration, transport, verbs, watches, discovery, errors.

What it promises: typed objects in and out, typed errors, no secret in any message, no retry that could apply a change
twice, and watches that end rather than hang. What it leaves to `runtime`: caches, queues, what follows an error.
Import from the modules themselves (`kube.client`, `kube.connect`, `kube.errors`); this package imports nothing, so that
a command line that only prints its version does not pay for an HTTP stack.
"""
