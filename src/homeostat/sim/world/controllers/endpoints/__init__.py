"""EndpointSlices: which Pods stand behind a Service, and whether they take traffic.

`slicing` decides what the slices of a Service are to hold, `controller` writes it.
"""
