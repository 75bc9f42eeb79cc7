"""Implementations of the operators' ports: the world outside of Kubernetes as homeostat needs it.

Each provider knows the port it implements and nothing of the other providers; only `app` chooses between them.
"""
