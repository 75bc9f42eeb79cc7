"""Jobs: Pods that end, made until enough of them have ended well, or too many have not.

A Pod that is over is counted once: first its uid stands in the status, then its finalizer goes, then the number
changes.
Indexed Jobs and the policies for failure and success are not imitated; the Pods of an indexed Job have no indexes.
"""
