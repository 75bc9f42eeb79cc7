"""The Helm chart makes what the plain manifests make, and differs only where its values say so."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest
import yaml
from tests.support.apiserver import ApiServer, api_server
from tests.support.kinds import install
from tests.support.pages import commands
from tests.support.real import require
from tests.support.tree import ROOT

__all__ = ["api_server"]

pytestmark = pytest.mark.real

CHART = ROOT / "deploy" / "chart" / "homeostat"
PLAIN = ROOT / "deploy" / "operator"
Whole = dict[str, Any]


def helm(*words: str) -> subprocess.CompletedProcess[str]:
    command = [str(require("helm")), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, cwd=ROOT)


def rendered(namespace: str = "homeostat-system", **values: Any) -> list[Whole]:
    """What the chart makes of these values."""
    given = [f"--set-json={name}={json.dumps(value)}" for name, value in values.items()]
    done = helm("template", "homeostat", str(CHART), f"--namespace={namespace}", *given)
    assert done.returncode == 0, done.stderr
    return [one for one in yaml.safe_load_all(done.stdout) if one]


def plain() -> list[Whole]:
    """What kubectl would apply."""
    texts = (path.read_text() for path in sorted(PLAIN.glob("*.yaml")))
    return [one for text in texts for one in yaml.safe_load_all(text) if one]


def by_name(objects: list[Whole]) -> dict[tuple[str, str, str], Whole]:
    marks = [(one["kind"], one["metadata"].get("namespace", ""), one["metadata"]["name"]) for one in objects]
    assert len(set(marks)) == len(marks)
    return dict(zip(marks, objects, strict=True))


def command(objects: list[Whole]) -> list[str]:
    (deployment,) = (one for one in objects if one["kind"] == "Deployment")
    found: list[str] = deployment["spec"]["template"]["spec"]["containers"][0]["command"]
    return found


def test_without_values_it_makes_the_plain_manifests_but_the_namespace() -> None:
    wanted = by_name([one for one in plain() if one["kind"] != "Namespace"])
    assert by_name(rendered(image={"tag": "latest"})) == wanted


def test_the_image_of_its_own_version_is_the_default() -> None:
    (deployment,) = (one for one in rendered() if one["kind"] == "Deployment")
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["image"] == f"homeostat.local/homeostat:{chart['appVersion']}"


def test_named_namespaces_bound_the_operator_and_its_rights() -> None:
    objects = rendered(namespaces=["shop", "bank"])
    assert [word for word in command(objects) if word.startswith("--namespaces")] == [
        "--namespaces=shop",
        "--namespaces=bank",
    ]
    bindings = [one for one in objects if one.get("roleRef", {}).get("name") == "homeostat:cell"]
    found = {(one["kind"], one["metadata"]["namespace"]) for one in bindings}
    assert found == {("RoleBinding", "shop"), ("RoleBinding", "bank")}


def test_another_namespace_of_its_own_is_named_everywhere() -> None:
    objects = rendered(namespace="elsewhere")
    assert "homeostat-system" not in json.dumps(objects)
    assert "--leader-election-namespace=elsewhere" in command(objects)
    assert "--webhook-service=elsewhere/homeostat-webhooks" in command(objects)


def test_what_a_cell_may_want_otherwise_is_a_value() -> None:
    values: dict[str, Any] = {
        "replicas": 3,
        "args": ["--log-level=debug"],
        "webhooks": {"enabled": False},
        "image": {"repository": "registry.example.com/homeostat", "tag": "v9", "pullSecrets": [{"name": "registry"}]},
        "nodeSelector": {"role": "meta"},
        "resources": {"limits": {"memory": "2Gi"}},
    }
    objects = rendered(**values)
    (deployment,) = (one for one in objects if one["kind"] == "Deployment")
    pod = deployment["spec"]["template"]["spec"]
    assert deployment["spec"]["replicas"] == 3
    assert command(objects) == ["homeostat", "run", "cell", "--log-level=debug"]
    assert pod["containers"][0]["image"] == "registry.example.com/homeostat:v9"
    assert (pod["imagePullSecrets"], pod["nodeSelector"]) == ([{"name": "registry"}], {"role": "meta"})
    assert pod["containers"][0]["resources"]["limits"] == {"memory": "2Gi"}


def test_helm_finds_nothing_to_complain_of() -> None:
    done = helm("lint", "--strict", str(CHART))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("namespaces", [[], ["default"]], ids=["everywhere", "in one namespace"])
def test_an_api_server_takes_what_it_makes(api_server: ApiServer, namespaces: list[str]) -> None:
    install(api_server)
    api_server.kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(HOME))
    content = "\n---\n".join(json.dumps(one) for one in rendered(namespaces=namespaces))
    dry = ("--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict")
    said = api_server.kubectl("apply", *dry, "-f", "-", stdin=content)
    assert "deployment.apps/homeostat serverside-applied (server dry run)" in said


@pytest.mark.parametrize("namespaces", [[], ["default"]], ids=["everywhere", "in one namespace"])
def test_it_takes_over_what_the_manifests_made_by_the_command_that_the_page_shows(
    api_server: ApiServer, namespaces: list[str]
) -> None:
    install(api_server)
    for name in ("rights.yaml", "priority.yaml", "deployment.yaml"):
        api_server.kubectl("apply", "-f", str(PLAIN / name))
    before = owners(api_server)
    assert set(before.values()) == {""}
    (shown,) = commands("docs/howto/operator.md", "From the manifests to the chart", "helm")
    given = [f"--set-json=namespaces={json.dumps(namespaces)}", f"--kubeconfig={api_server.kubeconfig}"]
    try:
        done = helm(*shown, *given)
        assert done.returncode == 0, done.stderr
        wide = {one for one in before if one[0] == "ClusterRoleBinding" and one[1] == "homeostat:cell"}
        after = owners(api_server)
        assert {one for one, owner in after.items() if not owner} == (wide if namespaces else set())
        assert set(before) <= set(after)  # the very objects, none of which was made anew
        done = helm(*shown, *given, '--set-json=args=["--max-rolling=1"]')
        assert done.returncode == 0, done.stderr
    finally:
        helm("uninstall", "homeostat", "--namespace=homeostat-system", f"--kubeconfig={api_server.kubeconfig}")
        api_server.kubectl("delete", "clusterrolebinding", "homeostat:cell", "--ignore-not-found")


def owners(api_server: ApiServer) -> dict[tuple[str, str, str], str]:
    """What there is of homeostat's, by kind, name and uid, with the program that manages it."""
    kinds = "deployments,services,pdb,sa,roles,rolebindings,clusterroles,clusterrolebindings,priorityclasses"
    wanted = ("get", kinds, "--all-namespaces", "-l", "app.kubernetes.io/name=homeostat", "-o", "json")
    items = json.loads(api_server.kubectl(*wanted))["items"]
    mark = "app.kubernetes.io/managed-by"
    return {
        (one["kind"], one["metadata"]["name"], one["metadata"]["uid"]): one["metadata"]["labels"].get(mark, "")
        for one in items
    }


HOME = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "homeostat-system"}}
