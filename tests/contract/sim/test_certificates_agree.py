"""Requests of certificates: who makes, approves and signs them, and what is refused, on both API servers."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from tests.contract.sim.both import Both, comparable, refusal
from tests.support.apiserver import ApiServer
from tests.support.certificates import Authority
from tests.support.requesting import asked, encoded

pytestmark = pytest.mark.real
ALL = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
ONE = f"{ALL}/certificates-agree"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
CLIENTS, OURS = "kubernetes.io/kube-apiserver-client", "example.com/ours"
ROOT = {"Impersonate-User": "root", "Impersonate-Group": "system:masters", "Impersonate-Extra-Scope": "s"}
ANN, EVE, BOB = ({"Impersonate-User": name} for name in ("ann", "eve", "bob"))
MERGE, APPLY = "application/merge-patch+json", "application/apply-patch+yaml"
Body = dict[str, Any]


def forged(key: Any = None) -> str:
    """A request whose signature is of something else."""
    content = base64.b64decode(base64.b64decode(asked("ann", key=key)).partition(b"-\n")[2].partition(b"\n-")[0])
    pem = base64.encodebytes(content.replace(b"ann", b"eve"))
    return encoded(b"-----BEGIN CERTIFICATE REQUEST-----\n" + pem + b"-----END CERTIFICATE REQUEST-----\n")


REQUEST, CERTIFICATE, OTHER = asked("ann"), encoded(Authority("a").certificate), encoded(Authority("b").certificate)


def request(**spec: Any) -> Body:
    made = {"request": REQUEST, "signerName": OURS, "usages": ["client auth"], **spec}
    return {"metadata": {"name": "certificates-agree"}, "spec": made}


def condition(type_: str, **parts: str) -> Body:
    return {"type": type_, "status": "True", "reason": "R", "message": "m", **parts}


def status(*conditions: Body, **parts: Any) -> Body:
    return {"status": {"conditions": list(conditions), **parts}}


APPROVED, DENIED, FAILED = condition("Approved"), condition("Denied"), condition("Failed")


@pytest.fixture(scope="module")
def servers(api_server: ApiServer) -> Iterator[Both]:
    """Both with rights on requests: ann may approve for ours and sign for its domain, eve has none on signers."""
    made = Both(api_server)
    verbs = ["create", "get", "update", "patch"]
    kept = [
        {"verbs": verbs, "apiGroups": ["certificates.k8s.io"], "resources": [f"certificatesigningrequests{each}"]}
        for each in ("", "/approval", "/status")
    ]
    signers = {"apiGroups": ["certificates.k8s.io"], "resources": ["signers"]}
    rights = {
        "ann": [
            *kept,
            {**signers, "verbs": ["approve"], "resourceNames": [OURS]},
            {**signers, "verbs": ["sign"], "resourceNames": ["example.com/*"]},
        ],
        "eve": kept,
        "bob": [*kept, {**signers, "verbs": ["approve", "sign"], "resourceNames": ["example.com/other", "x/*"]}],
    }
    for name, rules in rights.items():
        title = {"name": f"certificates-agree-{name}"}
        role = {"kind": "ClusterRole", "apiGroup": "rbac.authorization.k8s.io", **title}
        made.ask("POST", f"{RBAC}/clusterroles", {"metadata": title, "rules": rules})
        bound = {"metadata": title, "roleRef": role, "subjects": [{"kind": "User", "name": name}]}
        made.ask("POST", f"{RBAC}/clusterrolebindings", bound)
    yield made
    for name in rights:
        made.ask("DELETE", f"{RBAC}/clusterrolebindings/certificates-agree-{name}")
        made.ask("DELETE", f"{RBAC}/clusterroles/certificates-agree-{name}")


@pytest.fixture
def both(servers: Both) -> Iterator[Both]:
    """The same, and no request afterwards."""
    yield servers
    servers.ask("DELETE", ONE)


def agree(both: Both, method: str, path: str, body: object = None, **how: Any) -> Any:
    """Both answer the same, which is returned."""
    how.setdefault("headers", ROOT)
    real, simulated = both.ask(method, path, body, **how)
    assert shown(simulated) == shown(real)
    return real


def shown(answer: Any) -> Any:
    """What is compared: the words of parsers are Go's, what they refuse is not."""
    found = refusal(comparable(answer))
    if isinstance(found, dict) and "causes" in found:
        told = ("PEM", "signature", "verification", "must", "may", "should", "validating")
        found["causes"] = [
            (field, reason, text if any(each in text for each in told) or reason != "FieldValueInvalid" else "")
            for field, reason, text in found["causes"]
        ]
        found["message"] = answer.get("message") if len(found["causes"]) == 0 else ""
    return found


GOOD = {
    "smallest": request(),
    "of a client": request(signerName=CLIENTS, expirationSeconds=600),
    "that says who asks": request(username="eve", uid="7", groups=["g"], extra={"a": ["b"]}),
    "that says what became of it": request() | status(APPROVED, certificate=CERTIFICATE),
    "of administrators elsewhere": request(request=asked("x", "system:masters")),
    "of all usages twice named": request(usages=["digital signature", "key encipherment", "server auth"]),
}


@pytest.mark.parametrize("case", GOOD)
def test_who_asks_is_known_and_what_is_asked_stays(case: str, both: Both) -> None:
    assert agree(both, "POST", ALL, GOOD[case])["spec"]["username"] == "root"
    agree(both, "PATCH", ONE, {"spec": {"signerName": "example.com/x", "username": "eve"}}, media=MERGE)
    agree(both, "PATCH", ONE, {"metadata": {"labels": {"a": "b"}}}, media=MERGE)
    agree(both, "PUT", ONE, GOOD[case])
    agree(both, "GET", ONE)
    agree(both, "GET", f"{ONE}/approval")


def test_a_request_is_applied(both: Both) -> None:
    body = request() | {"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest"}
    for each in (body, body, request(username="x") | {k: body[k] for k in ("apiVersion", "kind")}):
        agree(both, "PATCH", ONE, each, media=APPLY, query="fieldManager=m&force=true")
    approved = {**status(APPROVED), "apiVersion": body["apiVersion"], "kind": body["kind"]}
    agree(both, "PATCH", f"{ONE}/approval", approved, media=APPLY, query="fieldManager=m", headers=ANN)


WRONG = {
    "empty": request(request=None, signerName=None, usages=None),
    "no PEM": request(request=encoded(b"x")),
    "another PEM": request(request=CERTIFICATE),
    "no request in it": request(
        request=encoded(b"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n")
    ),
    "forged": request(request=forged()),
    "forged by RSA": request(request=forged(rsa.generate_private_key(65537, 2048))),
    "unknown usages": request(usages=["x", "client auth", "client auth", ""]),
    "short": request(expirationSeconds=599),
    "legacy signer": request(signerName="kubernetes.io/legacy-unknown"),
    "signer without path": request(signerName="example.com"),
    "signer of too many parts": request(signerName="example.com/a/b"),
    "signer of no domain": request(signerName="example/a"),
    "signer of bad names": request(signerName="exam_ple.com/A_b.c"),
    "long signer": request(signerName=f"{'a' * 63}.{'.'.join(['b' * 60] * 4)}/{'.'.join(['c' * 60] * 6)}"),
    "a name with a slash": request() | {"metadata": {"name": "a/b"}},
    "an administrator": request(signerName=CLIENTS, request=asked("x", "g", "system:masters")),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_request_is_refused_for_the_same_causes(case: str, both: Both) -> None:
    answer = agree(both, "POST", ALL, WRONG[case])
    assert answer["kind"] == "Status"


COURSES: dict[str, list[tuple[str, Body]]] = {
    "approved and signed": [
        ("approval", status(APPROVED)),
        ("status", status(APPROVED, certificate=CERTIFICATE)),
        ("status", status(APPROVED, certificate=OTHER)),
        ("status", {"status": {"certificate": None}}),
        ("approval", status(APPROVED, certificate=OTHER)),
    ],
    "denied": [
        ("approval", status(DENIED)),
        ("approval", status(DENIED, APPROVED)),
        ("approval", status()),
        ("approval", status(condition("Denied", message="other"))),
        ("status", status(condition("Denied", message="another"))),
    ],
    "decided by the signer": [
        ("status", status(APPROVED)),
        ("status", status(DENIED)),
        ("status", status(FAILED)),
        ("status", status()),
        ("status", status(condition("Failed", message="other"))),
        ("approval", status()),
    ],
    "conditions wrong all over": [
        ("approval", status(condition("", status=""), condition("Approved", status="False"))),
        ("approval", status(condition("Own", status="X"), condition("Own"))),
        ("approval", status(APPROVED, DENIED)),
        ("approval", status(condition("Own", status="Unknown"), APPROVED)),
        ("approval", status(condition("Own", status="False"), APPROVED)),
        ("approval", status(APPROVED)),
    ],
    "times of their own": [
        ("approval", status({**APPROVED, "lastUpdateTime": "2020-01-01T00:00:00Z"}, condition("Own"))),
        ("approval", status({**APPROVED, "lastTransitionTime": "2020-01-01T00:00:00Z"}, condition("Own"))),
    ],
    "no certificates": [
        ("status", status(certificate=encoded(b"x"))),
        ("status", status(certificate=REQUEST)),
        ("status", status(certificate=encoded(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"))),
        ("status", status(certificate=encoded(Authority().certificate + Authority().certificate))),
    ],
    "by its own path": [
        ("", status(APPROVED, certificate=CERTIFICATE)),
        ("approval", {"spec": {"signerName": CLIENTS}, "metadata": {"labels": {"a": "b"}}}),
        ("status", {"spec": {"signerName": CLIENTS}, "metadata": {"annotations": {"a": "b"}}}),
    ],
}


@pytest.mark.parametrize("case", COURSES)
def test_what_becomes_of_a_request_is_the_same(case: str, both: Both) -> None:
    agree(both, "POST", ALL, request())
    for below, body in COURSES[case]:
        agree(both, "PATCH", f"{ONE}/{below}".rstrip("/"), body, media=MERGE)


@pytest.mark.parametrize("headers", [ANN, EVE, BOB], ids=["ann", "eve", "bob"])
@pytest.mark.parametrize("signer", [OURS, "example.com/other", CLIENTS])
def test_only_who_has_rights_on_a_signer_approves_and_signs_for_it(
    signer: str, headers: dict[str, str], both: Both
) -> None:
    agree(both, "POST", ALL, request(signerName=signer), headers=headers)
    for below, body in (
        ("approval", status(APPROVED)),
        ("approval", {"metadata": {"labels": {"a": "b"}}}),
        ("status", {"metadata": {"labels": {"a": "c"}}}),
        ("status", status(condition("Own"))),
        ("status", status(FAILED)),
        ("status", status(certificate=CERTIFICATE)),
    ):
        agree(both, "PATCH", f"{ONE}/{below}", body, media=MERGE, headers=headers)


def test_requests_are_chosen_by_their_signer(both: Both) -> None:
    agree(both, "POST", ALL, request())
    for selector in (f"spec.signerName={OURS}", f"spec.signerName!={OURS}", "spec.username=root", "status.x=y"):
        answers = both.ask("GET", ALL, query=f"fieldSelector={selector}")
        real, simulated = (
            [each["metadata"]["name"] for each in answer.get("items", ())] or shown(answer).get("code")
            for answer in answers
        )
        assert simulated == real, selector


def test_an_approval_needs_the_version_that_it_names(both: Both) -> None:
    agree(both, "POST", ALL, request())
    agree(both, "PUT", f"{ONE}/approval", request() | status(APPROVED))
    stale = request() | status(APPROVED)
    stale["metadata"] = {**stale["metadata"], "resourceVersion": "1"}
    agree(both, "PUT", f"{ONE}/approval", stale)
    agree(both, "POST", f"{ONE}/approval", stale)
    agree(both, "DELETE", f"{ONE}/approval")


def test_discovery_tells_of_what_can_be_done_with_requests(both: Both) -> None:
    real, simulated = (
        {each["name"]: sorted(each["verbs"]) for each in answer["resources"]}
        for answer in both.ask("GET", ALL.rpartition("/")[0])
    )
    assert simulated["certificatesigningrequests/approval"] == ["get", "patch", "update"]
    assert {name: verbs for name, verbs in simulated.items() if name in real} == real
