"""Answers Services of type LoadBalancer in a local data centre.

It owns `status.loadBalancer` of Services of the cell and the file of HAProxy on the control host; nothing else.
Addresses are allocated by a pure function from what Services already have (`addresses`), the file is rendered by a
pure function (`haproxy`), and the controller only carries (`controller`). While it is down HAProxy goes on with the
last file and checks the health of backends itself.
"""
