"""From one package version to another: which component moves next, and what forbids it. Pure, without time.

It decides on names and versions only. Whether masters are healthy enough to move, and what to do when one does not come
up, is decided around it.
"""
