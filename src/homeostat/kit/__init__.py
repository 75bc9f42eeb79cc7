"""Small things that know no Kubernetes: clock, randomness, back-off, quantities, names.

Nothing here does I/O, and nothing elsewhere reads the wall clock or draws random numbers by itself: both come from
the objects defined here, passed in, so that a simulation can own time and chance.
"""
