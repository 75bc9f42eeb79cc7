"""etcd: members with data on their disks, a quorum that decides, a leader, learners, alarms, versions.

Raft is not played message by message. What it promises is kept: a write that was acknowledged is on the disks of a
quorum, whoever was away catches up, and when those who have it all are gone, so is what they had.
"""
