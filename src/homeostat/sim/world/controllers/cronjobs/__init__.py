"""CronJobs: a Job at each moment of a schedule, and the end of Jobs that are over and too many.

`deciding` says what is to be done now, and when to look again; `controller` does it. Nothing ticks: the next look is at
the next moment of the schedule, or when a Job has changed.
"""
