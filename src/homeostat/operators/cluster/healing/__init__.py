"""What is done about masters that broke and that Kubernetes does not mend: a dead member of etcd is replaced.

`members` judges one cluster by two independent signals and says what to do next; `cell` counts over all clusters of the
cell, so that one healing does not become many; `told` says it. All of it is pure; the actions are carried out as every
other, by act.py, which looks again before whatever cannot be taken back.
"""
