"""What kube-scheduler does: every Pod without a Node gets one that it fits on, or is told why there is none.

What is known of the cluster stands in an `estate`, kept up to date change by change, so that a decision costs what the
Pod asks and not what the cluster holds. `choosing` and `preempting` decide on it and do nothing; `scheduler` does what
they decided. Pods that found no place wait in `waiting` until something changes that could help them; nobody looks
again and again.

Of a cluster of more than a hundred Nodes the first hundred on which a Pod fits are compared, from a Node on that moves
round the cluster, as kube-scheduler does with another number.
"""
