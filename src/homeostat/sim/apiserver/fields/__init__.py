"""Whose fields are whose: server-side apply and the managedFields of every other write, as a kube-apiserver keeps them.

From the ground up: `paths` names one field, `sets` holds many; `forms` says what a value is under its shape, `typed`
which fields it has, `comparing` which of them two values do not share, `merging` how an applied configuration goes into
a live object, `checking` what is wrong with one. `ownership` is who holds what after a write, `entries` how
that is written down, and `managing` the two doors that verbs come in by. All of it is pure: the time is an argument.
"""
