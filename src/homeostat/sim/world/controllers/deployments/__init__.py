"""Deployments: one ReplicaSet for each template that there was, and Pods that move from the old ones to the new one.

`deciding` says which ReplicaSets change and how, `scaling` what a new number of replicas means while several have Pods,
`telling` what the status says. The rest of this folder does it.
"""
