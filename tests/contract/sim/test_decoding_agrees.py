"""The simulated API server reads bodies as the real one does: what is unknown, repeated, or of a wrong type."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.contract.sim.asking import ask, await_served, verdict
from tests.contract.sim.decoding_cases import BODIES, QUANTITIES, path_of
from tests.contract.sim.schema_cases import GROUP, TEXT, crd, listed, of
from tests.support.apiserver import ApiServer

from homeostat.sim.apiserver.refusing import Refused, bad_request
from homeostat.sim.apiserver.schemas import decoding, reading
from homeostat.sim.apiserver.schemas.custom import CustomType

pytestmark = pytest.mark.real
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
GROUPS = {"Deployment": "apps", "Lease": "coordination.k8s.io"}


@pytest.mark.parametrize("case", BODIES)
def test_a_body_is_refused_in_the_same_words_where_fields_are_strict(
    case: str, api_server: ApiServer, decodeds: CustomType
) -> None:
    kind, sent = BODIES[case]

    answer, _ = ask(api_server, "POST", f"{path_of(kind)}?dryRun=All&fieldValidation=Strict", sent)

    refused = verdict(answer)
    try:
        _, faults = _decoded(kind, sent, decodeds)
        ours = verdict(decoding.strictly(kind, "v1", faults).status()) if faults else None
    except Refused as error:
        ours = verdict(error.status())
    # What is decoded may still be refused for other reasons, which are not looked at here.
    assert ours == (refused if refused and refused["code"] == 400 else None)


@pytest.mark.parametrize("case", BODIES)
def test_a_body_that_is_accepted_warns_of_the_same_fields(
    case: str, api_server: ApiServer, decodeds: CustomType
) -> None:
    kind, sent = BODIES[case]

    answer, warnings = ask(api_server, "POST", f"{path_of(kind)}?dryRun=All&fieldValidation=Warn", sent)

    if verdict(answer) is None:
        assert _decoded(kind, sent, decodeds)[1] == warnings


def test_quantities_are_kept_in_the_same_form(api_server: ApiServer) -> None:
    volumes = [{"name": f"v{index}", "emptyDir": {"sizeLimit": text}} for index, text in enumerate(QUANTITIES)]
    spec = {"containers": [{"name": "a", "image": "b"}], "volumes": volumes}
    sent = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": spec}

    answer, _ = ask(api_server, "POST", f"{path_of('Pod')}?dryRun=All", sent)

    assert decoding.decode(sent, "", "v1", "Pod")[0]["spec"]["volumes"] == answer["spec"]["volumes"]


@pytest.fixture(scope="module")
def decodeds(api_server: ApiServer) -> Iterator[CustomType]:
    """The same CRD on both sides."""
    made = crd(of(a=TEXT, inner=listed(of(y={"type": "integer"}))))
    made["metadata"]["name"] = f"decodeds.{GROUP}"
    made["spec"]["names"] = {"plural": "decodeds", "kind": "Decoded"}
    ask(api_server, "POST", CRDS, made)
    await_served(api_server, path_of("Decoded"))
    yield CustomType(made, "v1")
    ask(api_server, "DELETE", f"{CRDS}/{made['metadata']['name']}")


def _decoded(kind: str, sent: bytes, decodeds: CustomType) -> tuple[Any, list[str]]:
    try:
        value = reading.read(sent)
    except reading.BadJson as error:
        raise bad_request(reading.unrecognized(sent, kind, str(error))) from None
    if not isinstance(value, dict):
        raise bad_request(reading.unrecognized(sent, kind, reading.no_object(value)))
    if kind == decodeds.kind:
        return decodeds.decode(value)
    return decoding.decode(value, GROUPS.get(kind, ""), "v1", kind)
