"""The chart is made from the plain manifests, and a manifest that changes under it is an error, not a silent loss."""

from __future__ import annotations

import pytest
from scripts.chart import CHART, EXCHANGES, PLAIN, Exchange, files, template


def test_every_manifest_is_a_template_and_no_other_is_generated() -> None:
    made = {path.name for path in files() if path.parent == CHART / "templates"}
    assert made == {path.name for path in PLAIN.glob("*.yaml")} == set(EXCHANGES)


def test_a_text_that_went_is_named_with_its_file() -> None:
    with pytest.raises(ValueError, match=r"deploy/operator/a\.yaml: expected 1 times, found 0"):
        template("replicas: 3", (Exchange("replicas: 2", "replicas: {{ .Values.replicas }}"),), "a.yaml")


def test_its_own_namespace_is_that_of_the_release() -> None:
    assert template("namespace: homeostat-system\n", (), "a.yaml") == "namespace: {{ .Release.Namespace }}\n"
