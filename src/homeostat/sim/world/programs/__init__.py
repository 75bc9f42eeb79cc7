"""What runs in the Pods of business clusters: etcd, the API server, controllers, and homeostat's own programs.

Each is found by the name of its command. What a program promises to others holds; how it does so is played only as far
as somebody can see it.
"""
