"""TLS contexts from PEM in memory."""

from __future__ import annotations

import ssl

import pytest
from tests.support.certificates import Authority

from homeostat.kube.config import Config, ConfigError, Secret
from homeostat.kube.tls import context_of


def test_a_client_certificate_is_loaded_from_memory() -> None:
    authority = Authority()
    certificate, key = authority.user("me", "dev")
    config = Config(
        server="https://api", ca=authority.certificate, client_certificate=certificate, client_key=Secret(key)
    )
    assert context_of(config).check_hostname


def test_a_key_that_does_not_fit_its_certificate_is_an_error() -> None:
    authority = Authority()
    certificate, _ = authority.user("me")
    _, key = authority.user("you")
    config = Config(server="https://api", client_certificate=certificate, client_key=Secret(key))
    with pytest.raises(ConfigError, match="expected a PEM pair that fits"):
        context_of(config)


def test_with_an_authority_of_its_own_the_machines_trust_store_is_not_even_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def read(*_: object) -> None:
        raise AssertionError("the machine's trust store was read")

    monkeypatch.setattr(ssl, "create_default_context", read)
    context = context_of(Config(server="https://api", ca=Authority().certificate))
    assert len(context.get_ca_certs()) == 1
    assert (context.check_hostname, context.verify_mode) == (True, ssl.CERT_REQUIRED)


def test_an_authority_that_is_no_certificate_is_an_error() -> None:
    with pytest.raises(ConfigError, match="certificate authority: expected PEM"):
        context_of(Config(server="https://api", ca=b"nonsense"))
