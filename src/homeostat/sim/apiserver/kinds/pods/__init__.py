"""Pods, alone and as templates: what is filled in, what is refused, and how their ends are waited for."""
