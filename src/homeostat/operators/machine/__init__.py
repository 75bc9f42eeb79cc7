"""Hosts kept in their declared state. So far there is its port to a host's operating system alone, which is
implemented over SSH and by simulated hosts; it changes nothing by itself.
"""
