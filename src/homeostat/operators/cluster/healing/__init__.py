"""What is done about masters that broke and that Kubernetes does not mend.

`members` judges a dead member of etcd, `illness` API servers and controllers, each by two independent signals;
`servers` keeps clients away from those that do not answer, `ladder` and `masters` say what is tried, and when no more.
`cell` counts over all clusters of the cell, `pulse` feels how fast its API server is, and `allowing` joins both to what
all destructive healing must pass, so that one healing does not become many; `told` says it. All of it is pure; the
actions are carried out as every other, by act.py, which looks again before whatever cannot be taken back.
"""
