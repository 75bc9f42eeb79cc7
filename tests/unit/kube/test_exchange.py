"""Attempts: what is tried again and when, what is observed, what is limited."""

from __future__ import annotations

import gc
import weakref
from random import Random

import pytest
from tests.support.scripted import SILENCE, Answer, Scripted, status
from tests.support.widgets import WIDGET, widget

from homeostat.kube.errors import (
    Conflict,
    ConnectionFailed,
    InternalError,
    NotFound,
    ServiceUnavailable,
    TimedOut,
    TooManyRequests,
    UntrustedServer,
    from_answer,
    is_retryable,
)
from homeostat.kube.retrying import Retries

BUSY = status(429, "TooManyRequests", "slow down")


async def test_retry_after_is_honoured_and_spread() -> None:
    scripted = Scripted(Answer(429, BUSY, headers={"Retry-After": "2"}), Answer(201, widget()))
    await scripted.client.create(WIDGET, widget())
    assert 2.0 <= scripted.clock.slept[0] <= 3.0


async def test_retries_are_bounded() -> None:
    scripted = Scripted(*(Answer(429, BUSY) for _ in range(3)))
    with pytest.raises(TooManyRequests):
        await scripted.client.get(WIDGET, "a", "shop")
    assert len(scripted.transport.requests) == 3


async def test_an_error_goes_when_it_was_read_and_waits_for_no_garbage_collector() -> None:
    scripted = Scripted(Answer(404, status(404, "NotFound")))
    gc.disable()
    try:
        with pytest.raises(NotFound) as caught:
            await scripted.client.get(WIDGET, "a", "shop")
        error = weakref.ref(caught.value)
        del caught
        assert error() is None
    finally:
        gc.enable()


async def test_a_retry_after_beyond_all_patience_is_the_callers() -> None:
    scripted = Scripted(Answer(429, BUSY, headers={"Retry-After": "3600"}))
    with pytest.raises(TooManyRequests) as caught:
        await scripted.client.get(WIDGET, "a", "shop")
    assert caught.value.retry_after_s == 3600
    assert scripted.clock.slept == []


@pytest.mark.parametrize("code", [500, 502, 503, 504])
async def test_reads_are_tried_again_after_server_errors(code: int) -> None:
    scripted = Scripted(Answer(code, status(code)), Answer(body=widget("a")))
    assert (await scripted.client.get(WIDGET, "a", "shop")).metadata.name == "a"


@pytest.mark.parametrize("failure", [Answer(503, status(503)), ConnectionFailed("cut"), Answer(500, b"boom")])
async def test_a_create_that_may_have_been_applied_is_not_repeated(failure: Answer | ConnectionFailed) -> None:
    scripted = Scripted(failure)
    with pytest.raises((ServiceUnavailable, ConnectionFailed, InternalError)):
        await scripted.client.create(WIDGET, widget())
    assert len(scripted.transport.requests) == 1


async def test_a_create_that_was_certainly_not_sent_is_repeated() -> None:
    scripted = Scripted(ConnectionFailed("refused", sent=False), Answer(201, widget("a")))
    assert (await scripted.client.create(WIDGET, widget("a"))).metadata.name == "a"


async def test_apply_is_repeated_because_it_is_idempotent() -> None:
    scripted = Scripted(ConnectionFailed("cut"), Answer(body=widget("a")))
    assert (await scripted.client.apply(WIDGET, widget("a"))).metadata.name == "a"


async def test_an_untrusted_server_is_not_tried_again() -> None:
    scripted = Scripted(UntrustedServer("wrong CA"))
    with pytest.raises(UntrustedServer, match=r"get widgets\.test\.homeostat\.dev shop/a: wrong CA"):
        await scripted.client.get(WIDGET, "a", "shop")


async def test_conflicts_are_the_callers() -> None:
    scripted = Scripted(Answer(409, status(409, "Conflict", "changed")))
    with pytest.raises(Conflict):
        await scripted.client.replace(WIDGET, widget("a"))


async def test_an_answer_that_does_not_come_times_out_and_is_closed() -> None:
    answers = [Answer(chunks=[SILENCE]) for _ in range(3)]
    scripted = Scripted(*answers)
    with pytest.raises(TimedOut, match="no answer within 30 s"):
        await scripted.client.get(WIDGET, "a", "shop")
    assert [answer.closed for answer in answers] == [1, 1, 1]


async def test_every_attempt_is_observed_by_verb_and_code() -> None:
    scripted = Scripted(ConnectionFailed("refused", sent=False), Answer(503, status(503)), Answer(body=widget("a")))
    await scripted.client.get(WIDGET, "a", "shop")
    assert [(seen.verb, seen.resource, seen.code, seen.retry) for seen in scripted.observed] == [
        ("get", "widgets.test.homeostat.dev", "refused", False),
        ("get", "widgets.test.homeostat.dev", "503", True),
        ("get", "widgets.test.homeostat.dev", "200", True),
    ]


async def test_a_rate_limit_spaces_requests() -> None:
    scripted = Scripted(*(Answer(body=widget("a")) for _ in range(3)), limit_per_second=2.0)
    for _ in range(3):
        await scripted.client.get(WIDGET, "a", "shop")
    assert scripted.clock.slept == [0.5, 0.5]


def test_a_body_that_is_no_status_is_quoted_briefly_on_one_line() -> None:
    error = from_answer(502, {}, b"<html>\n bad   gateway " + b"x" * 900, "get pods shop/a")
    assert isinstance(error, ServiceUnavailable)
    assert "\n" not in str(error)
    assert len(str(error)) < 300


def test_a_redirect_says_that_the_address_is_wrong() -> None:
    assert "check the server address" in str(from_answer(302, {"Location": "https://login"}, b"", "get pods"))


def test_what_waiting_can_mend_is_a_type() -> None:
    assert is_retryable(ConnectionFailed("cut"))
    assert is_retryable(TooManyRequests(429))
    assert not is_retryable(UntrustedServer("wrong CA"))
    assert not is_retryable(ValueError("ours"))


def test_backoff_grows_without_retry_after() -> None:
    retries = Retries()
    delays = [retries.delay_s(TooManyRequests(429), n, idempotent=False, random=Random(1)) for n in range(5)]
    assert delays[4] is None
    waits = [delay for delay in delays if delay is not None]
    assert waits == sorted(waits)
