"""Keeps encrypted snapshots in a place: a directory, or a bucket that speaks S3.

`EncryptedStore` is the one implementation of the port: it encrypts, counts, seals and verifies, and hands bytes to a
`Place`. Neither a key nor plain bytes ever reach a place.
"""
