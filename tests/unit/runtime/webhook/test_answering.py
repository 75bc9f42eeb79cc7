"""A review always gets an answer that says what is wrong and what to do; what is no review is turned away."""

from __future__ import annotations

import asyncio
from random import Random

import msgspec
import pytest
from tests.support.clock import ManualClock, settle
from tests.support.reviews import NAME, THERMOSTAT, Thermostat, response, review, thermostat
from tests.support.scripted import Answer as ScriptedAnswer
from tests.support.scripted import ScriptedTransport

from homeostat.kube.client import Client
from homeostat.runtime.informer import Informer
from homeostat.runtime.webhook.answering import ANSWER_WITHIN_S, Reviewer
from homeostat.runtime.webhook.asking import ALLOWED, Cause, Request, Verdict, denied
from homeostat.runtime.webhook.configuration import TIMEOUT_S
from homeostat.runtime.webhook.serving import READ_WITHIN_S
from homeostat.telemetry.metrics import Metrics


class Desk:
    """A reviewer of thermostats that says what it is told to."""

    def __init__(self, verdict: Verdict | Exception = ALLOWED) -> None:
        self.clock = ManualClock()
        self.metrics = Metrics()
        self.reviewer = Reviewer(clock=self.clock, metrics=self.metrics)
        self.asked: list[Request[Thermostat]] = []
        self._verdict = verdict
        self.reviewer.add(THERMOSTAT, ("CREATE", "UPDATE", "DELETE"), self._judge)

    def _judge(self, request: Request[Thermostat]) -> Verdict:
        self.asked.append(request)
        if isinstance(self._verdict, Exception):
            raise self._verdict
        return self._verdict

    def counted(self, verdict: str, operation: str = "CREATE", resource: str = NAME) -> float:
        labels = {"resource": resource, "operation": operation, "verdict": verdict}
        return self.metrics.registry.get_sample_value("homeostat_admissions_total", labels) or 0.0


async def test_an_allowed_write_is_answered_with_its_uid_and_counted() -> None:
    desk = Desk()
    assert response(await desk.reviewer.answer(NAME, review())) == {"allowed": True}
    assert desk.counted("allowed") == 1
    labels = {"resource": NAME, "operation": "CREATE"}
    assert desk.metrics.registry.get_sample_value("homeostat_admission_duration_seconds_count", labels) == 1


async def test_a_validator_sees_both_objects_who_asks_and_whether_it_is_a_trial() -> None:
    desk = Desk()
    await desk.reviewer.answer(NAME, review("UPDATE", thermostat(25), thermostat(20), dryRun=True))
    (asked,) = desk.asked
    assert asked.object is not None
    assert asked.old is not None
    assert (asked.old.spec.target, asked.object.spec.target) == (20, 25)
    assert (asked.operation, asked.namespace, asked.name) == ("UPDATE", "home", "hall")
    assert (asked.user.username, asked.dry_run) == ("ann", True)


async def test_the_deletion_of_a_collection_tells_the_name_in_the_object_only() -> None:
    desk = Desk()
    await desk.reviewer.answer(NAME, review("DELETE", name=""))
    assert (desk.asked[0].name, desk.asked[0].object) == ("hall", None)


async def test_a_denial_that_names_fields_is_422_with_a_cause_for_each() -> None:
    causes = (
        Cause("expected at most 30, found 90", "choose less", "spec.target"),
        Cause("expected a room", field="spec.room"),
    )
    desk = Desk(Verdict(causes))
    assert response(await desk.reviewer.answer(NAME, review())) == {
        "allowed": False,
        "status": {
            "code": 422,
            "reason": "Invalid",
            "message": "spec.target: expected at most 30, found 90; choose less; spec.room: expected a room",
            "details": {
                "name": "hall",
                "group": "test.homeostat.dev",
                "kind": "Thermostat",
                "causes": [
                    {
                        "reason": "FieldValueInvalid",
                        "message": "expected at most 30, found 90; choose less",
                        "field": "spec.target",
                    },
                    {"reason": "FieldValueInvalid", "message": "expected a room", "field": "spec.room"},
                ],
            },
        },
    }
    assert desk.counted("denied") == 1


async def test_a_denial_that_names_no_field_is_403() -> None:
    found = response(await Desk(denied("somebody is at home", "wait")).reviewer.answer(NAME, review("DELETE")))
    assert found["status"] == {
        "code": 403,
        "reason": "Forbidden",
        "message": "somebody is at home; wait",
        "details": {"name": "hall", "group": "test.homeostat.dev", "kind": "Thermostat"},
    }


async def test_warnings_go_with_an_allowed_write() -> None:
    found = response(await Desk(Verdict(warnings=("it will be cold",))).reviewer.answer(NAME, review()))
    assert found == {"allowed": True, "warnings": ["it will be cold"]}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "expected an AdmissionReview"),
        (b"\xff\xfe", "expected an AdmissionReview"),
        (b"[]", "expected an AdmissionReview"),
        (b'{"apiVersion": "v1", "kind": "Pod", "metadata": {}}', "missing required field `request`"),
        (review(kind={"group": "", "version": "v1", "kind": "Pod"}), "expected test.homeostat.dev/v1 Thermostat"),
        (review().replace(b"admission.k8s.io/v1", b"admission.k8s.io/v1beta1"), "found AdmissionReview of"),
    ],
)
async def test_what_is_no_review_of_the_resource_is_turned_away_and_not_judged(body: bytes, said: str) -> None:
    desk = Desk()
    answer = await desk.reviewer.answer(NAME, body)
    assert answer.code == 400
    assert said in answer.body.decode()
    assert (desk.asked, desk.counted("malformed", "unknown")) == ([], 1)


async def test_a_resource_that_nobody_registered_is_not_found_and_no_label_of_a_metric() -> None:
    desk = Desk()
    answer = await desk.reviewer.answer("secrets", review())
    assert (answer.code, NAME in answer.body.decode()) == (404, True)
    assert desk.counted("malformed", "unknown", "unknown") == 1


@pytest.mark.parametrize(
    ("operation", "new", "old", "field", "said"),
    [
        ("CREATE", thermostat("warm"), None, "spec.target", "object: expected `int`, got `str`"),
        ("CREATE", {"spec": {}}, None, "object", "object: object missing required field `metadata`"),
        ("UPDATE", thermostat(), thermostat("warm"), "spec.target", "oldObject: expected `int`, got `str`"),
    ],
)
async def test_an_object_that_does_not_decode_is_refused_by_the_name_of_its_field(
    operation: str, new: dict[str, object], old: dict[str, object] | None, field: str, said: str
) -> None:
    desk = Desk()
    found = response(await desk.reviewer.answer(NAME, review(operation, new, old)))
    (cause,) = found["status"]["details"]["causes"]
    assert (found["status"]["code"], cause["field"]) == (422, field)
    assert said in cause["message"]
    assert "version" in cause["message"]
    assert (desk.asked, desk.counted("undecodable", operation)) == ([], 1)


async def test_a_validator_that_fails_refuses_without_a_word_of_what_went_wrong() -> None:
    desk = Desk(ValueError("the secret is 1234"))
    answer = await desk.reviewer.answer(NAME, review())
    found = response(answer)
    assert (found["allowed"], found["status"]["code"]) == (False, 500)
    assert "1234" not in answer.body.decode()
    assert "review-1" in found["status"]["message"]
    assert desk.counted("failed") == 1


async def test_a_validator_that_waits_is_given_up_before_the_api_server_gives_up() -> None:
    clock = ManualClock()
    reviewer = Reviewer(clock=clock, metrics=Metrics())

    async def wait_for_ever(request: Request[Thermostat]) -> Verdict:
        await asyncio.Event().wait()
        return ALLOWED

    reviewer.add(THERMOSTAT, ("CREATE",), wait_for_ever)
    task = asyncio.ensure_future(reviewer.answer(NAME, review()))
    await settle()
    await clock.advance(ANSWER_WITHIN_S)
    found = response(await task)
    assert (found["allowed"], found["status"]["reason"]) == (False, "Timeout")
    assert READ_WITHIN_S + ANSWER_WITHIN_S < TIMEOUT_S


async def test_operations_and_subresources_that_were_not_asked_for_pass() -> None:
    reviewer = Reviewer(clock=ManualClock(), metrics=Metrics())
    reviewer.add(THERMOSTAT, ("DELETE",), lambda _: denied("never"))
    assert response(await reviewer.answer(NAME, review("CREATE"))) == {"allowed": True}
    assert response(await reviewer.answer(NAME, review("DELETE", subResource="status"))) == {"allowed": True}


async def test_while_a_cache_is_not_filled_nothing_is_judged() -> None:
    clock = ManualClock()
    client = Client(ScriptedTransport(ScriptedAnswer()), clock=clock, random=Random(1))
    informer = Informer(client, THERMOSTAT, clock=clock, random=Random(1))
    reviewer = Reviewer(clock=clock, metrics=Metrics())
    reviewer.add(THERMOSTAT, ("CREATE",), lambda _: ALLOWED, needs=(informer,))
    answer = await reviewer.answer(NAME, review())
    assert (answer.code, answer.body) == (
        503,
        f"the cache of {NAME} is not filled yet; try again in a moment\n".encode(),
    )
    assert not reviewer.is_able()
    informer.synced.set()
    assert response(await reviewer.answer(NAME, review())) == {"allowed": True}


def test_a_second_validator_of_a_resource_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="found a second"):
        Desk().reviewer.add(THERMOSTAT, ("CREATE",), lambda _: ALLOWED)


async def test_an_answer_is_json_that_kubernetes_reads() -> None:
    answer = await Desk().reviewer.answer(NAME, review())
    assert answer.media_type == "application/json"
    assert msgspec.json.decode(answer.body)["response"] == {"uid": "review-1", "allowed": True}
