"""The manifests that a cell of this data centre gets: files of the repository or of the installed package.

Definitions and the operator are what people install in production too (`deploy/`); package versions are examples. The
operator's image is this very version of homeostat, whatever tag the files name.
"""

from __future__ import annotations

from importlib import metadata
from pathlib import Path
from typing import Any

from homeostat.local.meta.applying import read

OPERATOR_IMAGE = "homeostat.local/homeostat"
IMAGE_KEY = "homeostat.dev/image-key"


class Manifests:
    """Reads the manifests below a root that holds `deploy/` and `examples/`."""

    def __init__(self, root: Path, image: str = "") -> None:
        self._root = root
        self.image = image or f"{OPERATOR_IMAGE}:{metadata.version('homeostat')}"

    def definitions(self) -> list[dict[str, Any]]:
        """CRDs and admission policies."""
        return read(self._directory("deploy/crds"))

    @property
    def has_operator(self) -> bool:
        """Whether this tree holds the operator's manifests; without them the cell stands alone."""
        return (self._root / "deploy/operator").is_dir()

    def operator(self, image_key: str) -> list[dict[str, Any]]:
        """The operator's objects, with the image of this version; another key makes the Pods anew."""
        return [marked(self._with_image(one), image_key) for one in read(self._directory("deploy/operator"))]

    def package_versions(self) -> list[dict[str, Any]]:
        """The ClusterPackageVersions that this machine has binaries for."""
        return read(self._directory("examples/packageversions"))

    def _directory(self, name: str) -> Path:
        directory = self._root / name
        if not directory.is_dir():
            raise FileNotFoundError(f"{directory}: expected the manifests of homeostat; is the installation complete?")
        return directory

    def _with_image(self, one: dict[str, Any]) -> dict[str, Any]:
        if one["kind"] == "Deployment":
            for container in one["spec"]["template"]["spec"]["containers"]:
                if container["image"].partition(":")[0] == OPERATOR_IMAGE:
                    named, container["image"] = container["image"], self.image
                    for variable in container.get("env", ()):
                        if variable.get("value") == named:
                            variable["value"] = self.image
        return one


def marked(one: dict[str, Any], image_key: str) -> dict[str, Any]:
    """A Deployment whose Pods carry the key of their image's content: a tag alone does not tell of a rebuilt image."""
    if one["kind"] == "Deployment" and image_key:
        metadata_of_pods = one["spec"]["template"].setdefault("metadata", {})
        metadata_of_pods.setdefault("annotations", {})[IMAGE_KEY] = image_key
    return one


def root() -> Path:
    """Where the manifests are: in the package if it was installed from a wheel, else in the repository around it."""
    package = Path(__file__).resolve().parent.parent
    bundled = package / "manifests"
    return bundled if bundled.is_dir() else package.parent.parent
