"""What an API server remembers: objects as bytes, the number of every change, and the changes that watches may ask for.

As in etcd, one number counts all changes of a server; a collection is a shelf of its own with its own history.
"""
