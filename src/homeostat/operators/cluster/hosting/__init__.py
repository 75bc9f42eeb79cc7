"""Hosted operators: what they may do in the business cluster, when they begin, and what is left when they go."""
