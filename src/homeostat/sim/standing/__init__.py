"""A simulated data centre that stays: a process of its own, and the directory by which commands find it.

Its world lives in the memory of that process and ends with it. What the directory holds is how to reach it.
"""
