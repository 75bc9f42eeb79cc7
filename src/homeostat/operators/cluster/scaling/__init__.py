"""From one topology to another and back, with the data: members of etcd come and go one at a time.

`step` decides what is next from what the status says there is to be, what there is, and what etcd says; `told` says it.
Both are pure; the actions are carried out with those of healing, and what cannot be taken back is looked at again right
before, by `act`.
"""
