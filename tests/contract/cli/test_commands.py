"""The command line against a real API server."""

from __future__ import annotations

import base64
import json
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.contract.cli.conftest import Homeostat
from tests.support.apiserver import ApiServer, free_port
from tests.support.declaring import put, put_status
from tests.support.kinds import bent, cluster, example
from tests.support.misdeclaring import WRONG
from tests.support.terminal import run

from homeostat.cli.exits import Exit

pytestmark = pytest.mark.real

READY = {"type": "Ready", "status": "True", "reason": "AllReady", "message": "all well"}


def without_ages(text: str) -> str:
    return re.sub(r"\b\d+[smhd](\d+[smhd])?\b", "AGE", text)


@pytest.mark.parametrize("arguments", [("hc",), ("hc", "-o", "wide"), ("hc", "-A"), ("hc", "-l", "no=where")])
def test_tables_are_those_of_kubectl(server: ApiServer, homeostat: Homeostat, arguments: tuple[str, ...]) -> None:
    put(server, cluster("table", "cli"), example("packageversions/v1.35.4.yaml"))
    put_status(server, "table", phase="Ready", conditions=[{**READY, "lastTransitionTime": "2026-01-01T00:00:00Z"}])
    ours = homeostat("get", *arguments, "-n", "cli")
    kubectls = server.kubectl("get", *arguments, "-n", "cli")
    lines = [[line.split() for line in without_ages(text).splitlines()] for text in (ours.out, kubectls)]
    assert (ours.code, lines[0]) == (0, lines[1])


def test_package_versions_tell_who_uses_them(server: ApiServer, homeostat: Homeostat) -> None:
    unused = bent(example("packageversions/v1.35.4.yaml"), {"metadata.name": "unused"})
    put(server, cluster("user", "cli"), example("packageversions/v1.35.4.yaml"), unused)
    lines = homeostat("get", "packageversions").out.splitlines()
    assert lines[0].split()[-2:] == ["USED", "BY"]
    told = {line.split()[0]: line for line in lines}
    assert "cli/user" in told["v1.35.4"]
    assert told["unused"].endswith("<none>")
    assert homeostat("get", "packageversion", "unused").out.splitlines()[1].endswith("<none>")


def test_an_empty_list_says_so_on_stderr(homeostat: Homeostat) -> None:
    outcome = homeostat("get", "clusters", "-n", "kube-public")
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "no clusters found in namespace kube-public\n")


def test_objects_come_as_json_yaml_or_names(server: ApiServer, homeostat: Homeostat) -> None:
    put(server, cluster("shown", "cli"))
    as_json = json.loads(homeostat("get", "cluster", "shown", "-n", "cli", "-o", "json").out)
    as_yaml = yaml.safe_load(homeostat("-n", "cli", "get", "cluster", "shown", "-o", "yaml").out)
    kubectls = json.loads(server.kubectl("get", "cluster", "shown", "-n", "cli", "-o", "json"))
    assert as_json == as_yaml == kubectls
    names = homeostat("get", "hc", "shown", "-n", "cli", "-o", "name").out
    assert names == "cluster.cluster.homeostat.dev/shown\n"
    assert json.loads(homeostat("get", "hc", "-n", "cli", "-o", "json").out)["kind"] == "List"


@pytest.mark.parametrize(
    "arguments",
    [
        ("get", "cluster"),
        ("get", "-o", "yaml", "cluster"),
        ("describe", "cluster"),
        ("delete", "cluster"),
        ("kubeconfig",),
        ("wait", "--for=condition=Ready", "cluster"),
    ],
)
def test_what_does_not_exist_ends_with_code_3(homeostat: Homeostat, arguments: tuple[str, ...]) -> None:
    outcome = homeostat(*arguments, "nope", "-n", "cli")
    assert (outcome.code, outcome.out) == (Exit.NOT_FOUND, "")
    assert 'clusters.cluster.homeostat.dev "nope" not found' in outcome.err


def test_apply_declares_and_dry_runs_keep_nothing(homeostat: Homeostat) -> None:
    text = json.dumps(cluster("applied", "cli"))
    dry = homeostat("apply", "-f", "-", "--dry-run=server", stdin=text)
    assert (dry.code, dry.out) == (0, "cluster.cluster.homeostat.dev/applied serverside-applied (server dry run)\n")
    assert homeostat("get", "hc", "applied", "-n", "cli").code == Exit.NOT_FOUND
    assert homeostat("apply", "-f", "-", stdin=text).out == "cluster.cluster.homeostat.dev/applied serverside-applied\n"
    for way, told in (("client", "(client dry run)"), ("server", "(server dry run)")):
        gone = homeostat("delete", "hc", "applied", "-n", "cli", f"--dry-run={way}")
        assert gone.out == f'cluster.cluster.homeostat.dev "applied" deleted {told}\n'
    assert homeostat("get", "hc", "applied", "-n", "cli").code == 0


def test_apply_takes_other_kinds_too(homeostat: Homeostat) -> None:
    text = '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "other"}, "data": {"a": "b"}}'
    assert homeostat("apply", "-n", "cli", "-f", "-", stdin=text).out == "configmap/other serverside-applied\n"
    unknown = homeostat("apply", "-f", "-", stdin=text.replace("ConfigMap", "Confection"))
    assert unknown.code == Exit.NOT_FOUND
    assert "knows no kind Confection in v1" in unknown.err


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"network__podCIDR": "10.0.0.0"}, 'spec.network.podCIDR: Invalid value: "10.0.0.0"'),
        ({"paused": "yes"}, ".spec.paused: expected boolean"),
    ],
)
def test_a_refused_object_is_told_with_its_fields(homeostat: Homeostat, changes: dict[str, Any], told: str) -> None:
    outcome = homeostat("apply", "-f", "-", stdin=json.dumps(cluster("refused", "cli", **changes)))
    assert (outcome.code, outcome.out) == (Exit.REFUSED, "")
    assert told in outcome.err


@pytest.mark.parametrize("changes", [changes for changes, _ in WRONG], ids=[told for _, told in WRONG])
def test_what_a_client_dry_run_refuses_the_api_server_refuses_too(
    homeostat: Homeostat, changes: dict[str, Any]
) -> None:
    text = json.dumps(bent(cluster("misdeclared", "cli"), changes))
    codes = {homeostat("apply", "-f", "-", f"--dry-run={way}", stdin=text).code for way in ("client", "server", "none")}
    assert codes == {Exit.REFUSED}


def test_a_conflict_names_the_other_manager_and_the_way_out(server: ApiServer, homeostat: Homeostat) -> None:
    put(server, cluster("fought", "cli"))
    text = json.dumps(cluster("fought", "cli", paused=True))
    assert homeostat("apply", "-f", "-", stdin=text).code == 0  # a field that nobody owned
    put(server, cluster("fought", "cli", paused=False))
    outcome = homeostat("apply", "-f", "-", stdin=text)
    assert outcome.code == Exit.REFUSED
    assert 'conflict with "kubectl": .spec.paused' in outcome.err
    assert "--force-conflicts" in outcome.err
    assert homeostat("apply", "--force-conflicts", "-f", "-", stdin=text).code == 0


def test_describe_tells_the_story(server: ApiServer, homeostat: Homeostat) -> None:
    put(server, cluster("story", "cli"))
    component = {"name": "etcd", "version": "3.6.16", "image": "e", "desired": 1, "ready": 0, "state": "Progressing"}
    waiting = {**READY, "status": "False", "reason": "EtcdNotReady", "lastTransitionTime": "2026-01-01T00:00:00Z"}
    put_status(server, "story", phase="Provisioning", components=[component], conditions=[waiting])
    uid = server.kubectl("get", "hc", "story", "-n", "cli", "-o", "jsonpath={.metadata.uid}")
    put(server, event("story", uid))
    outcome = homeostat("describe", "cluster", "story", "-n", "cli")
    told = re.sub(r" +", " ", outcome.out)
    assert outcome.code == 0
    for line in (
        "Phase: Provisioning",
        " packageVersion: v1.35.4",
        " etcd 3.6.16 0/1 Progressing",
        " Ready False EtcdNotReady",
        " Normal EtcdCreated homeostat made etcd",
    ):
        assert line in told


def event(name: str, uid: str) -> dict[str, Any]:
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": f"{name}.1", "namespace": "cli"},
        "type": "Normal",
        "reason": "EtcdCreated",
        "action": "Create",
        "note": "made etcd",
        "eventTime": "2026-01-01T00:00:00.000000Z",
        "reportingController": "homeostat",
        "reportingInstance": "h-1",
        "regarding": {"kind": "Cluster", "name": name, "namespace": "cli", "uid": uid},
    }


def test_the_operators_own_kubeconfig_comes_from_its_secret_and_is_private(
    server: ApiServer, homeostat: Homeostat, tmp_path: Path
) -> None:
    put(server, cluster("access", "cli"))
    early = homeostat("kubeconfig", "access", "--admin", "-n", "cli")
    assert (early.code, "is not there yet" in early.err) == (Exit.NOT_FOUND, True)
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "access-admin-kubeconfig", "namespace": "cli"}}
    put(server, {**secret, "data": {"kubeconfig": base64.b64encode(b"kind: Config\n").decode()}})
    assert homeostat("kubeconfig", "access", "--admin", "-n", "cli").out == "kind: Config\n"
    file = tmp_path / "access"
    outcome = homeostat("kubeconfig", "access", "--admin", "-n", "cli", "-o", str(file))
    assert (outcome.out, file.read_text(), stat.S_IMODE(file.stat().st_mode)) == ("", "kind: Config\n", 0o600)
    put(server, {**secret, "data": {"kubeconfig": ""}})
    assert "expected a kubeconfig under the key" in homeostat("kubeconfig", "access", "--admin", "-n", "cli").err


def test_without_a_name_the_kubeconfig_is_the_cells(server: ApiServer, homeostat: Homeostat) -> None:
    assert homeostat("kubeconfig").out == server.kubeconfig.read_text()


def test_a_local_data_centre_is_found_without_being_named(server: ApiServer, tmp_path: Path) -> None:
    place = tmp_path / "homeostat" / "homeostat"
    place.mkdir(parents=True)
    (place / "kubeconfig").symlink_to(server.kubeconfig)
    outcome = run("version", "-o", "json", env={"XDG_STATE_HOME": str(tmp_path)})
    assert json.loads(outcome.out)["serverVersion"]["gitVersion"].startswith("v1.")


def test_waiting_ends_with_the_condition_or_with_code_124(server: ApiServer, homeostat: Homeostat) -> None:
    put(server, cluster("awaited", "cli"))
    command = ("wait", "cluster", "awaited", "-n", "cli", "--for=condition=Ready")
    late = homeostat(*command, "--timeout=300ms")
    assert (late.code, late.out) == (Exit.TIMEOUT, "")
    assert "cluster awaited: not Ready=True after 0.3 s" in late.err
    put_status(server, "awaited", phase="Ready", conditions=[{**READY, "lastTransitionTime": "2026-01-01T00:00:00Z"}])
    met = homeostat(*command)
    assert (met.code, met.out) == (0, "cluster.cluster.homeostat.dev/awaited condition met\n")


def test_deleting_waits_for_finalizers_when_asked(server: ApiServer, homeostat: Homeostat) -> None:
    held = cluster("held", "cli")
    held["metadata"]["finalizers"] = ["test.homeostat.dev/held"]
    put(server, held)
    late = homeostat("delete", "cluster", "held", "-n", "cli", "--wait", "--timeout=300ms")
    assert late.code == Exit.TIMEOUT
    assert "held by test.homeostat.dev/held" in late.err
    server.kubectl("patch", "hc", "held", "-n", "cli", "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
    assert homeostat("wait", "cluster", "held", "-n", "cli", "--for=delete").code == 0


def test_a_watch_shows_the_table_and_then_each_change(server: ApiServer) -> None:
    put(server, cluster("watched", "cli"))
    program = str(Path(sys.executable).parent / "homeostat")
    command = [program, f"--kubeconfig={server.kubeconfig}", "get", "hc", "watched", "-n", "cli", "-w"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline(), process.stdout.readline()]
        put_status(server, "watched", phase="Degraded")
        lines += [process.stdout.readline()]
        process.terminate()
    assert [line.split()[:2] for line in lines] == [["NAME", "READY"], ["watched", "v1.35.4"], ["watched", "Degraded"]]


def test_an_api_server_that_is_not_there_ends_with_code_5(server: ApiServer, tmp_path: Path) -> None:
    content = server.kubeconfig.read_text().replace(server.url, f"https://127.0.0.1:{free_port()}")
    (tmp_path / "dead").write_text(content)
    outcome = run("get", "clusters", "--kubeconfig", str(tmp_path / "dead"))
    assert outcome.code == Exit.UNREACHABLE
    assert "Traceback" not in outcome.err


def test_who_may_not_is_told_so_with_code_6(server: ApiServer, homeostat: Homeostat, tmp_path: Path) -> None:
    config = server.config_for("nobody")
    content = json.loads(server.kubeconfig.read_text())
    pair = {"client-certificate-data": config.client_certificate, "client-key-data": config.client_key.data}
    content["users"][0]["user"] = {key: base64.b64encode(value).decode() for key, value in pair.items()}
    (tmp_path / "nobody").write_text(json.dumps(content))
    outcome = homeostat("get", "clusters", "--kubeconfig", str(tmp_path / "nobody"))
    assert outcome.code == Exit.NOT_PERMITTED
    assert 'User "nobody" cannot list resource "clusters"' in outcome.err
