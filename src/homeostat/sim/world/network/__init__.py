"""Who answers at an address, as seen from a host or from outside: Pods, Services by address and by name, balancers.

Nothing is sent. Whoever wants to talk asks who is there, and gets the program that listens, a refusal, or silence.
"""
