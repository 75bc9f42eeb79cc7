"""EndpointSlices: which Pods stand behind a Service, and whether they take traffic.

`slicing` decides what the slices of a Service are to hold, `controller` writes it. The older form is Endpoints:
`packing` decides what they hold, `older` writes it, and `mirroring` makes slices of those that people write.
"""
