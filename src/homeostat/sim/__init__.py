"""A simulated world for homeostat: a Kubernetes API server in memory, and what lives behind it.

It is a verified fake: what operators rely on is stated once, as a contract, and holds here and on the real API server.
What is not imitated is refused by name; nothing is guessed. Nothing in here reads a wall clock, starts a thread or uses
unseeded chance, so that one seed gives one history.
"""
