"""Container images assembled from binaries and files on this machine: same input, same bytes, same digest.

`archive` writes images as docker archives, `catalogue` says what is in which image, `python` prepares the layers of
homeostat's own image, and `building` keeps archives in the cache by their content.
"""
