"""What lives behind simulated API servers: controllers, a scheduler, hosts with kubelets, and the programs they run.

The world is driven by changes alone. When nothing changes, nothing runs, so that a year of an idle fleet costs no more
than what its operators do in it.
"""
