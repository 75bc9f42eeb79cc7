"""Validating admission: answers an API server about writes of homeostat's own kinds, before they are stored.

`asking` has the words of a validator, `answering` turns a review into an answer, `serving` does so over HTTPS on every
replica. `certificates` and `configuration` say what Secret and ValidatingWebhookConfiguration should hold, pure;
`keeping` brings it about. `service` joins them into one part of a process.

What it promises: being down blocks writes of the registered resources and nothing else, never those that do not change
spec (status, finalizers, labels) nor those of objects that are being deleted. What it leaves to operators: caches are a
moment old, so two writes at once may both pass; what must never be is judged again by the operator.
"""
