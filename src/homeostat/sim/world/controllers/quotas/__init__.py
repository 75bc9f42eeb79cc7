"""Counts what quotas limit: when one is made or limits something else, and when something that it counts goes.

What comes is counted by admission, in the same moment. So only the types that some quota counts are watched, and only
for what makes room; without quotas nothing is.
"""
