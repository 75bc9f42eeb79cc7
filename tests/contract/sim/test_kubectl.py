"""kubectl of the real build, over HTTPS, with a simulated API server behind it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.front import Kubectl, fronted
from tests.support.requesting import asked

pytestmark = pytest.mark.real


def config_map(**data: str) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": data})


def deployment() -> str:
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "web", "image": "web:1"}]}}
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    whole = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}
    return json.dumps(whole)


@pytest.fixture
async def kubectl(tmp_path: Path) -> AsyncIterator[Kubectl]:
    """kubectl, and a server of the test's own."""
    async with fronted(tmp_path) as made:
        yield made


async def read(kubectl: Kubectl, *what: str) -> Any:
    return yaml.safe_load(await kubectl("get", *what, "-o", "yaml"))


async def test_objects_are_applied_in_both_ways_and_changed_and_go(kubectl: Kubectl) -> None:
    assert await kubectl("apply", "-f", "-", stdin=config_map(x="1", y="1")) == "configmap/a created\n"
    assert await kubectl("apply", "-f", "-", stdin=config_map(x="2")) == "configmap/a configured\n"
    assert await kubectl("apply", "-f", "-", stdin=config_map(x="2")) == "configmap/a unchanged\n"
    assert (await read(kubectl, "configmap", "a"))["data"] == {"x": "2"}
    applied = await kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=config_map(x="3"))
    assert applied == "configmap/a serverside-applied\n"
    code, differences = await kubectl.run("diff", "-f", "-", stdin=config_map(x="4"))
    assert (code, '+  x: "4"' in differences) == (1, True)
    await kubectl("label", "configmap", "a", "colour=red")
    await kubectl("annotate", "configmap", "a", "note=b")
    await kubectl("patch", "configmap", "a", "-p", '{"data":{"z":"9"}}')
    found = await read(kubectl, "configmaps", "-l", "colour=red")
    assert [one["data"] for one in found["items"]] == [{"x": "3", "z": "9"}]
    await kubectl("delete", "configmap", "a")
    assert (await kubectl.run("get", "configmap", "a")) == (
        1,
        'Error from server (NotFound): configmaps "a" not found\n',
    )


async def test_a_deployment_is_scaled_and_its_fields_are_explained(kubectl: Kubectl) -> None:
    await kubectl("apply", "-f", "-", stdin=deployment())
    assert await kubectl("scale", "deployment", "web", "--replicas=3") == "deployment.apps/web scaled\n"
    assert (await read(kubectl, "deployment", "web"))["spec"]["replicas"] == 3
    assert "Number of desired pods" in await kubectl("explain", "deployment.spec.replicas")
    assert "deployments" in await kubectl("api-resources", "--api-group=apps")


async def test_objects_are_shown_in_columns_at_once_and_as_they_change(kubectl: Kubectl) -> None:
    await kubectl("apply", "-f", "-", stdin=deployment())
    rows = [line.split() for line in (await kubectl("get", "deployments")).splitlines()]
    assert rows[0] == ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"]
    assert rows[1][:4] == ["web", "0/1", "0", "0"]
    wide = (await kubectl("get", "deployments", "-o", "wide")).splitlines()
    assert wide[1].split()[-3:] == ["web", "web:1", "app=web"]
    watching = asyncio.ensure_future(kubectl("get", "deployments", "--watch", "--request-timeout=2s"))
    while not watching.done():
        await kubectl("scale", "deployment", "web", "--replicas=7")
        await kubectl("scale", "deployment", "web", "--replicas=3")
    seen = [line.split()[1] for line in (await watching).splitlines()]
    assert (seen[0], "0/7" in seen) == ("READY", True)


async def test_unknown_fields_are_named(kubectl: Kubectl) -> None:
    bad = json.loads(config_map()) | {"dada": {}}
    code, said = await kubectl.run("create", "-f", "-", stdin=json.dumps(bad))
    assert (code, 'unknown field "dada"' in said) == (1, True)


async def test_a_watch_is_told_of_what_comes(kubectl: Kubectl) -> None:
    await kubectl("apply", "-f", "-", stdin=config_map())
    waiting = asyncio.ensure_future(kubectl("wait", "configmap/a", "--for=jsonpath={.data.done}=yes", "--timeout=30s"))
    await kubectl("patch", "configmap", "a", "-p", '{"data":{"done":"yes"}}')
    assert await waiting == "configmap/a condition met\n"


async def test_a_token_proves_who_one_is_and_a_wrong_one_nothing(kubectl: Kubectl) -> None:
    code, said = await kubectl.run("get", "configmaps", user="ann")
    assert (code, 'User "ann" cannot list resource "configmaps"' in said) == (1, True)
    code, said = await kubectl.run("get", "configmaps", user="stranger")
    assert (code, "You must be logged in to the server" in said) == (1, True)


async def test_what_one_may_do_is_asked_for_oneself_and_for_others(kubectl: Kubectl) -> None:
    await kubectl("create", "role", "reads", "--verb=get,list", "--resource=configmaps,pods/log")
    await kubectl("create", "rolebinding", "ann", "--role=reads", "--user=ann")
    answers = {
        "list configmaps": (0, "yes\n"),
        "get configmaps/a": (0, "yes\n"),
        "get pods --subresource=log": (0, "yes\n"),
        "get pods": (1, "no\n"),
        "delete configmaps": (1, "no\n"),
        "list configmaps --namespace=kube-system": (1, "no\n"),
        "list configmaps --all-namespaces": (1, "no\n"),
        "get /healthz": (0, "yes\n"),
        "get /metrics": (1, "no\n"),
    }
    for question, answer in answers.items():
        words, as_ann = ("auth", "can-i", *question.split()), ("--as=ann", "--as-group=system:authenticated")
        assert await kubectl.run(*words, user="ann") == answer, question
        assert await kubectl.run(*words, *as_ann) == answer, question
    assert await kubectl("auth", "can-i", "*", "*") == "yes\n"
    code, said = await kubectl.run("auth", "can-i", "list", "pods", "--as=eve", user="ann")
    assert (code, 'User "ann" cannot impersonate resource "users"' in said) == (1, True)


async def test_all_that_one_may_do_is_listed(kubectl: Kubectl) -> None:
    await kubectl("create", "role", "reads", "--verb=get,list", "--resource=configmaps", "--resource-name=a")
    await kubectl("create", "rolebinding", "ann", "--role=reads", "--user=ann")
    _, listed = await kubectl.run("auth", "can-i", "--list", user="ann")
    rows = [" ".join(line.split()) for line in listed.splitlines()]
    assert rows[0] == "Resources Non-Resource URLs Resource Names Verbs"
    assert "configmaps [] [a] [get list]" in rows
    assert "selfsubjectaccessreviews.authorization.k8s.io [] [] [create]" in rows
    assert "[/healthz] [] [get]" in rows
    everything = [" ".join(line.split()) for line in (await kubectl("auth", "can-i", "--list")).splitlines()]
    assert "*.* [] [] [*]" in everything
    assert "[*] [] [*]" in everything


async def test_one_is_told_who_one_is(kubectl: Kubectl) -> None:
    assert (await kubectl("auth", "whoami")).splitlines()[1].split() == ["Username", "admin"]
    _, said = await kubectl.run("auth", "whoami", "-o", "json", user="ann")
    assert json.loads(said)["status"]["userInfo"] == {"username": "ann", "groups": ["system:authenticated"]}
    told = await kubectl("auth", "whoami", "--as=eve", "--as-group=g", "-o", "json")
    found = json.loads(told)["status"]["userInfo"]
    assert found == {"username": "eve", "groups": ["g", "system:authenticated"]}


async def test_a_cron_job_is_made_shown_and_suspended_and_a_job_is_made_of_it(kubectl: Kubectl) -> None:
    await kubectl("create", "cronjob", "tick", "--image=work:1", "--schedule=*/5 * * * *")
    rows = [line.split("  ") for line in (await kubectl("get", "cronjobs")).splitlines()]
    assert [each.strip() for each in rows[0] if each.strip()][:4] == ["NAME", "SCHEDULE", "TIMEZONE", "SUSPEND"]
    assert [each.strip() for each in rows[1] if each.strip()][:4] == ["tick", "*/5 * * * *", "<none>", "False"]
    await kubectl("patch", "cronjob", "tick", "-p", '{"spec":{"suspend":true}}')
    assert "Suspend:                       True" in await kubectl("describe", "cronjob", "tick")
    assert await kubectl("create", "job", "--from=cronjob/tick", "by-hand") == "job.batch/by-hand created\n"
    owner = (await read(kubectl, "job", "by-hand"))["metadata"]["ownerReferences"][0]
    assert (owner["kind"], owner["name"]) == ("CronJob", "tick")
    code, said = await kubectl.run("create", "cronjob", "tock", "--image=work:1", "--schedule=never")
    assert (code, "expected exactly 5 fields, found 1: [never]" in said) == (1, True)


async def test_a_request_of_a_certificate_is_shown_approved_and_denied(kubectl: Kubectl) -> None:
    for name in ("one", "two"):
        spec = {"request": asked("ann"), "signerName": "example.com/ours", "usages": ["client auth"]}
        body = {"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest", "spec": spec}
        await kubectl("create", "-f", "-", stdin=json.dumps(body | {"metadata": {"name": name}}))
    assert "certificatesigningrequest.certificates.k8s.io/one approved" in await kubectl(
        "certificate", "approve", "one"
    )
    assert "certificatesigningrequest.certificates.k8s.io/two denied" in await kubectl("certificate", "deny", "two")
    rows = [line.split() for line in (await kubectl("get", "csr")).splitlines()]
    assert rows[0] == ["NAME", "AGE", "SIGNERNAME", "REQUESTOR", "REQUESTEDDURATION", "CONDITION"]
    assert [[*row[2:4], row[-1]] for row in rows[1:]] == [
        ["example.com/ours", "admin", "Approved"],
        ["example.com/ours", "admin", "Denied"],
    ]
    assert "Common Name:    ann" in await kubectl("describe", "csr", "one")
    code, said = await kubectl.run("certificate", "approve", "two")
    assert (code, said) == (1, 'error: certificate signing request "two" is already Denied\n')
