"""homeostat's own CRDs and examples, and examples with one mistake each, are judged as the real API server does."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.contract.sim.asking import ask, await_served, verdict, verdict_of
from tests.support.apiserver import ApiServer

from homeostat.sim.apiserver.schemas import definitions
from homeostat.sim.apiserver.schemas.custom import CustomType

pytestmark = pytest.mark.real
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
ROOT = Path(__file__).parents[3]
EXAMPLES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "examples").rglob("*.yaml"))

MISTAKES: dict[str, dict[str, Any]] = {
    "a range of IPv6": {"network": {"podCIDR": "fd00::/64"}},
    "no range": {"network": {"podCIDR": "10.200.0.0"}},
    "not the first address": {"network": {"serviceCIDR": "10.201.0.1/20"}},
    "too large a range": {"network": {"podCIDR": "8.0.0.0/6"}},
    "ranges that overlap": {"network": {"podCIDR": "10.200.0.0/16", "serviceCIDR": "10.200.16.0/20"}},
    "an address of IPv6": {"endpoint": {"address": "::1"}},
    "no quantity": {"storage": {"size": "much"}},
    "too small a volume": {"storage": {"size": "100Mi"}},
    "an unknown field": {"network": {"podCidr": "10.200.0.0/16"}},
    "a resource that nobody has": {"overrides": [{"name": "etcd", "resources": {"requests": {"disk": "1Gi"}}}]},
    "a negative quantity": {"overrides": [{"name": "etcd", "resources": {"requests": {"cpu": "-1"}}}]},
    "a flag with its dashes": {"overrides": [{"name": "etcd", "args": {"--v": "2"}}]},
    "a flag set and taken away": {"overrides": [{"name": "etcd", "args": {"v": "2"}, "removeArgs": ["v"]}]},
    "a component twice": {"overrides": [{"name": "etcd"}, {"name": "etcd"}]},
    "a wrong type": {"version": 3, "network": []},
}


@pytest.mark.parametrize("path", EXAMPLES)
def test_an_example_is_stored_as_the_same_object(path: str, api_server: ApiServer, own: dict[str, CustomType]) -> None:
    for sent in yaml.safe_load_all((ROOT / path).read_text()):
        _agree(sent, api_server, own)


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_told_in_the_same_words(case: str, api_server: ApiServer, own: dict[str, CustomType]) -> None:
    sent = yaml.safe_load((ROOT / "examples" / "cluster.yaml").read_text())
    sent["spec"] |= MISTAKES[case]

    _agree(sent, api_server, own)


def _agree(sent: dict[str, Any], server: ApiServer, own: dict[str, CustomType]) -> None:
    made = own[sent["kind"]]
    # Others of this session may have made the very example.
    sent["metadata"] = {"name": f"judged-{sent['metadata']['name']}"}
    answer, _ = ask(server, "POST", f"{_path(made)}?dryRun=All", sent)

    ours = copy.deepcopy(sent)
    made.prune(ours)
    made.set_defaults(ours)
    causes = made.creation_causes(ours)
    assert verdict_of(made.group, made.kind, sent["metadata"]["name"], causes) == verdict(answer)
    if not causes:
        assert ours["spec"] == answer["spec"]


def _path(made: CustomType) -> str:
    place = "namespaces/default/" if made.namespaced else ""
    return f"/apis/{made.group}/{made.version}/{place}{made.kind.lower()}s"


@pytest.fixture(scope="module")
def own(api_server: ApiServer) -> dict[str, CustomType]:
    """homeostat's CRDs on both sides, by kind."""
    made = {}
    for path in sorted((ROOT / "deploy" / "crds").glob("*.yaml")):
        for crd in yaml.safe_load_all(path.read_text()):
            if crd["kind"] == "CustomResourceDefinition":
                ask(api_server, "POST", CRDS, crd)  # others may have made it in this session
                ours = copy.deepcopy(crd)
                definitions.set_defaults(ours)
                assert not definitions.definition_causes(ours)
                made[crd["spec"]["names"]["kind"]] = CustomType(crd, crd["spec"]["versions"][0]["name"])
    for each in made.values():
        await_served(api_server, _path(each))
    return made
