"""Keys and certificates that homeostat makes itself: authorities, what they sign, and whether it is sound.

Knows neither Kubernetes nor what the certificates are for: whoever keeps them says which there must be, and where.
"""
