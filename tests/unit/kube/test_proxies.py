"""HTTPS_PROXY and NO_PROXY as Go reads them."""

from __future__ import annotations

import pytest

from homeostat.kube.proxies import is_excepted, proxy_for


@pytest.mark.parametrize(
    ("host", "exceptions", "expected"),
    [
        ("api.example", "*", True),
        ("api.example", "example", True),
        ("api.example", ".example", True),
        ("api.example", "*.example", True),
        ("api.example", "other, api.example:6443", True),
        ("api.example", "api.example:443", False),
        ("badexample", "example", False),
        ("10.1.2.3", "10.0.0.0/8", True),
        ("11.1.2.3", "10.0.0.0/8", False),
        ("10.1.2.3", "10.1.2.3", True),
        ("api.example", "nonsense/99", False),
    ],
)
def test_exceptions(host: str, exceptions: str, expected: bool) -> None:
    assert is_excepted(host, 6443, exceptions) is expected


def test_loopback_is_never_proxied() -> None:
    environment = {"https_proxy": "http://proxy:3128"}
    assert proxy_for("https://127.0.0.1:6443", environment) == ""
    assert proxy_for("https://[::1]:6443", environment) == ""
    assert proxy_for("https://localhost:6443", environment) == ""
    assert proxy_for("https://api:6443", environment) == "http://proxy:3128"
