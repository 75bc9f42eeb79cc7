"""Kubernetes' own end-to-end suite as the judge of the simulated engine.

`suite` builds it and asks it for its tests, `judging` lets it judge a simulated data centre test by test, and `page`
writes down what came of it, with a reason for each failure from `reasons`.
"""
