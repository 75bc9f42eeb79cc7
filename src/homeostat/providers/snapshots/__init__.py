"""Keeps encrypted snapshots in a place, such as a directory.

`EncryptedStore` is the one implementation of the port: it encrypts, counts, seals and verifies, and hands bytes to a
`Place`. Neither a key nor plain bytes ever reach a place. Buckets are to be another place.
"""
