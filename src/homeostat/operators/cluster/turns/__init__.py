"""What keys, certificates and logs ask of masters that are made as declared: one master's turn at a time.

`rest` says when a turn may begin, `renewing` whose certificates are made anew, `rotating` how keys are replaced by new
ones, `auditing` what is logged; `taking` whose turn it is. Nothing here moves beside a change of the package version,
and nothing moves while a master is not well.
"""
