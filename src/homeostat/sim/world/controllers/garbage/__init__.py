"""Deletes what nobody owns any more, in the order that whoever deletes an owner asks for.

`graph` knows who owns whom and decides; `collector` watches every kind that can be deleted, also those that come with
their definitions, and does what was decided. That an owner is gone is believed when the server says so, and not when a
cache does not hold it.
"""
