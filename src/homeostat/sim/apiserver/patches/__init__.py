"""The three ways to send a change instead of an object: merge patch, strategic merge patch and JSON patch.

Each takes a live object and a patch that was decoded from JSON, and gives a new object; neither is changed. What a
kube-apiserver refuses is Refused, in its words.
"""
