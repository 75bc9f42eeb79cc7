"""The operating system of a simulated host: files, packages, units, processes and a journal.

It is made when somebody first asks a host for it, so that hosts that nobody asks cost nothing.
"""
