"""Keys and certificates of one business cluster: three authorities, and what they sign.

`authority` makes and reads authorities, `leaves` says which certificates there must be and issues them, `soundness`
judges what a Secret holds. Private keys are in Secrets and in memory, and nowhere else.
"""
