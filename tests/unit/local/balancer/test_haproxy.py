"""The file of HAProxy: what is balanced, how health is asked, the same bytes for the same content."""

from __future__ import annotations

from homeostat.local.balancer.haproxy import Backend, Frontend, render

API = Frontend(
    service="shop/demo-apiserver",
    port_name="https",
    address="10.100.1.1",
    port=6443,
    backends=(Backend("10.100.129.7", 6443, "demo-apiserver-1"), Backend("10.100.130.4", 6443, "demo-apiserver-0")),
    health_path="/readyz",
)

GOLDEN = """\
listen shop:demo-apiserver:https
    bind 10.100.1.1:6443
    option httpchk
    http-check send meth GET uri /readyz ver HTTP/1.1 hdr Host 10.100.1.1
    http-check expect status 200
    server demo-apiserver-1 10.100.129.7:6443 check inter 500ms fastinter 250ms downinter 500ms fall 2 rise 1 \
on-marked-down shutdown-sessions check-ssl verify none
    server demo-apiserver-0 10.100.130.4:6443 check inter 500ms fastinter 250ms downinter 500ms fall 2 rise 1 \
on-marked-down shutdown-sessions check-ssl verify none
"""


def test_a_service_with_a_health_path_is_asked_over_tls_every_half_second() -> None:
    assert render([API]).endswith(GOLDEN)


def test_without_a_health_path_opening_a_connection_is_health() -> None:
    plain = render([Frontend("a/web", "", "10.100.1.2", 80, (Backend("10.100.129.9", 8080),))])
    assert "httpchk" not in plain
    assert "    server b0 10.100.129.9:8080 check inter" in plain


def test_a_backend_that_is_alone_is_asked_seldom_until_it_fails() -> None:
    alone = Frontend(API.service, API.port_name, API.address, API.port, API.backends[:1], API.health_path)
    assert "check inter 5s fastinter 250ms downinter 500ms fall 2 rise 1" in render([alone])


def test_the_order_of_services_and_backends_does_not_matter() -> None:
    other = Frontend("a/web", "", "10.100.1.2", 80)
    turned = Frontend(API.service, API.port_name, API.address, API.port, API.backends[::-1], API.health_path)
    assert render([API, other]) == render([other, turned])


def test_a_service_without_backends_keeps_its_address_listening() -> None:
    assert "    bind 10.100.1.2:80\n" in render([Frontend("a/web", "", "10.100.1.2", 80)])


def test_words_of_users_cannot_add_lines() -> None:
    hostile = Frontend("a/web", "x\n    bind :22", "10.100.1.2", 80, (), "/ok\n    user root")
    section = render([hostile]).partition("listen a:web")[2]
    assert [line.split()[0] for line in section.splitlines()[1:]] == ["bind", "option", "http-check", "http-check"]
