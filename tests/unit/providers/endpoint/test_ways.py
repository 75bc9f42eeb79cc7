"""What is read of a kubeconfig is read once, and kept no longer than its cluster."""

from __future__ import annotations

import pytest
from tests.support.certificates import Authority
from tests.support.clock import ManualClock

from homeostat.kit.pki.authority import Damaged
from homeostat.kube.target import Config
from homeostat.operators.cluster.pki.kubeconfig import write_kubeconfig
from homeostat.providers.endpoint import ways as module
from homeostat.providers.endpoint.ways import UNUSED_FOR, Dial, Ways, over_tls

AUTHORITY = Authority()


def kubeconfig(server: str = "https://10.0.0.1:6443", *, ca: bytes = AUTHORITY.certificate) -> bytes:
    certificate, key = AUTHORITY.user("admin", "system:masters")
    return write_kubeconfig(server, "admin", ca=ca, certificate=certificate, key=key)


def test_one_kubeconfig_is_read_once() -> None:
    ways, content = Ways(clock=ManualClock()), kubeconfig()
    assert ways.of(content).dial is ways.of(content).dial
    assert ways.of(content).server == "https://10.0.0.1:6443"


def test_another_content_is_another_way_also_of_the_same_server() -> None:
    ways = Ways(clock=ManualClock())
    assert ways.of(kubeconfig()).dial is not ways.of(kubeconfig()).dial


def test_of_a_cluster_that_is_gone_nothing_is_kept() -> None:
    ways, content = Ways(clock=ManualClock()), kubeconfig()
    ways.of(content)
    ways.forget(content)
    ways.forget(content)
    assert len(ways) == 0


async def test_what_nobody_uses_for_some_minutes_is_let_go() -> None:
    clock = ManualClock()
    ways, old, new = Ways(clock=clock), kubeconfig(), kubeconfig("https://10.0.0.2:6443")
    ways.of(old)
    await clock.advance(UNUSED_FOR.total_seconds() + 1)
    ways.of(new)
    assert len(ways) == 1


def test_when_there_are_too_many_the_longest_unused_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 2)
    ways, contents = Ways(clock=ManualClock()), [kubeconfig(f"https://10.0.0.{number}:6443") for number in range(3)]
    first, second = (ways.of(content).dial for content in contents[:2])
    ways.of(contents[0])
    ways.of(contents[2])
    assert len(ways) == 2
    assert ways.of(contents[0]).dial is first
    assert ways.of(contents[1]).dial is not second


def test_a_kubeconfig_of_another_form_or_with_no_certificates_is_damaged_and_not_shown() -> None:
    ways = Ways(clock=ManualClock())
    with pytest.raises(Damaged):
        ways.of(b"users: [very-secret]")
    with pytest.raises(Damaged, match="certificate authority: expected PEM") as failure:
        ways.of(kubeconfig(ca=b"very-secret"))
    assert "very-secret" not in str(failure.value)
    assert len(ways) == 0


def test_connections_are_made_as_whoever_wires_the_process_says() -> None:
    asked: list[str] = []

    def reach(config: Config) -> Dial:
        asked.append(config.server)
        return over_tls(config)

    ways = Ways(clock=ManualClock(), reach=reach)
    ways.of(kubeconfig())
    assert asked == ["https://10.0.0.1:6443"]
