"""What the controllers of workloads share: whose a Pod is, how it fares, how one is made, and how a status is told.

None of them records Events.
"""
