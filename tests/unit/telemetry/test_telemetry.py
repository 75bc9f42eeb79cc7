"""Metrics are declared once; logs carry the given time and no secrets."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator

import pytest
import structlog
from tests.support.clock import ManualClock

from homeostat.telemetry.logs import configure, logger
from homeostat.telemetry.metrics import Metrics, declare, declared
from homeostat.telemetry.redaction import HIDDEN, redact, redact_text

PEM = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQ\n-----END EC PRIVATE KEY-----"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    out = io.StringIO()
    configure(clock=ManualClock(), stream=out)
    yield out
    structlog.reset_defaults()


def test_a_log_line_has_the_given_clocks_time_and_no_secret(stream: io.StringIO) -> None:
    logger(cluster="demo").warning("trying again", token="abc", error=f"found {PEM} here")
    line = json.loads(stream.getvalue())
    assert line == {
        "event": "trying again",
        "level": "warning",
        "time": "2026-01-01T00:00:00.000Z",
        "cluster": "demo",
        "token": HIDDEN,
        "error": f"found {HIDDEN} here",
    }


def test_a_traceback_is_cleaned_too(stream: io.StringIO) -> None:
    logger().error("failing", exc_info=ValueError("password=hunter2"))
    assert "hunter2" not in stream.getvalue()
    assert "ValueError" in stream.getvalue()


def test_lines_below_the_level_are_not_written(stream: io.StringIO) -> None:
    logger().debug("detail")
    assert stream.getvalue() == ""


def test_an_unknown_level_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match="expected one of debug, info, warning, error, found 'loud'"):
        configure(clock=ManualClock(), level="loud")


@pytest.mark.parametrize(
    "text",
    ["Authorization: Bearer abcdefghijkl", '{"password": "abcdefghijkl"}', "eyJabcdefghijkl.abcdefghijkl.x", PEM],
)
def test_secrets_are_found_by_their_look(text: str) -> None:
    cleaned = redact_text(text)
    assert HIDDEN in cleaned
    assert "abcdefghijkl" not in cleaned
    assert "MHcCAQ" not in cleaned


def test_secrets_are_found_by_the_name_of_their_field_at_any_depth() -> None:
    found = redact({"user": {"client-key-data": "x", "name": "ann", "privateKey": b"y"}, "ports": [1, 2]})
    assert found == {"user": {"client-key-data": HIDDEN, "name": "ann", "privateKey": HIDDEN}, "ports": [1, 2]}


def test_a_metric_is_declared_once_and_described() -> None:
    made = declare("test_doors", "counter", "doors", "Doors opened", labels=("room",))
    assert declare("test_doors", "counter", "doors", "Doors opened", labels=("room",)) == made
    assert made in declared()
    with pytest.raises(ValueError, match="test_doors"):
        declare("test_doors", "gauge", "doors", "Doors open now")


def test_two_parts_of_a_process_do_not_share_counts() -> None:
    doors = declare("test_windows", "counter", "windows", "Windows opened", labels=("room",))
    first, second = Metrics(), Metrics()
    first.counter(doors).labels("hall").inc()
    assert b'test_windows_total{room="hall"} 1.0' in first.expose()
    assert b"hall" not in second.expose()
