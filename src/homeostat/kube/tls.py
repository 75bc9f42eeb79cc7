"""TLS contexts from PEM held in memory."""

from __future__ import annotations

import os
import ssl

from homeostat.kube.target import Config, ConfigError, Secret


def context_of(config: Config, certificate: bytes = b"", key: Secret | None = None) -> ssl.SSLContext:
    """The context for a configuration; a certificate of a plugin takes the place of the configured one."""
    context = trusting(config.ca) if config.ca else ssl.create_default_context()
    if config.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    certificate = certificate or config.client_certificate
    key = key or config.client_key
    if certificate:
        load_pair(context, certificate, key.data, what="client certificate and key")
    return context


def trusting(ca: bytes) -> ssl.SSLContext:
    """A context that trusts nobody else; the machine's own trust store, which takes 20 ms to read, is left alone.

    Raises ConfigError.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cadata=ca.decode("ascii", "replace"))
    except ssl.SSLError as error:
        raise ConfigError("certificate authority: expected PEM certificates, found something else") from error
    return context


def load_pair(context: ssl.SSLContext, certificate: bytes, key: bytes, *, what: str) -> None:
    """Let a context speak with this certificate from the next handshake on. Raises ConfigError when they do not fit.

    `load_cert_chain` takes paths only: a file that exists in memory and under no name keeps the key off the disk.
    """
    descriptor = os.memfd_create("homeostat-pair", os.MFD_CLOEXEC)
    try:
        with os.fdopen(os.dup(descriptor), "wb") as file:
            file.write(key.rstrip() + b"\n" + certificate)
        context.load_cert_chain(f"/proc/self/fd/{descriptor}")
    except ssl.SSLError as error:
        why = error.reason or "not PEM"
        raise ConfigError(f"{what}: expected a PEM pair that fits, found: {why}") from error
    finally:
        os.close(descriptor)
