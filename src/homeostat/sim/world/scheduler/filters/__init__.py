"""Reasons for which a Pod may not stand on a Node, each in the words in which kube-scheduler tells them.

A filter is prepared for a Pod once and then asked about Nodes; it reads the estate as that is when it is asked, so that
the same filters tell whether a Pod would fit if others were gone.
"""
