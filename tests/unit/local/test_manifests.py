"""The operator that a data centre of this machine runs is this very version, in every place that names it."""

from __future__ import annotations

from homeostat.local.manifests import Manifests, root


def test_the_operator_and_the_pods_that_it_makes_run_this_versions_image() -> None:
    objects = Manifests(root(), image="homeostat.local/homeostat:9").operator("key")
    (deployment,) = [one for one in objects if one["kind"] == "Deployment"]
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "homeostat.local/homeostat:9"
    assert {"name": "HOMEOSTAT_IMAGE", "value": "homeostat.local/homeostat:9"} in container["env"]
