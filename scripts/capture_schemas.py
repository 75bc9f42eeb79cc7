"""Writes down what a real kube-apiserver says of its types, for the simulated one.

`python -m scripts.capture_schemas` starts the newest kube-apiserver of the minor version that the files are of, reads
its aggregated discovery, its OpenAPI v3 documents and the heads of its tables, and writes three compressed files beside
the code that reads them.
The same binary gives the same files, byte by byte. With `--check` nothing is written and a stale file is an error.
"""

from __future__ import annotations

import lzma
import shutil
import ssl
import sys
import urllib.request
from pathlib import Path
from typing import Any

import msgspec
from tests.support.apiserver import ApiServer, launch

from homeostat.sim.apiserver.schemas.captured import MINOR

DATA = Path(__file__).parent.parent / "src" / "homeostat" / "sim" / "apiserver" / "schemas" / "data"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
DISCOVERY = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


def captured(server: ApiServer) -> dict[Path, bytes]:
    """The content of each file, as the running API server tells it."""
    documents = {path: read(server, entry["serverRelativeURL"]) for path, entry in sorted(listing(server).items())}
    schemas: dict[str, Any] = {}
    for document in documents.values():
        components = document["components"]
        for name, schema in components.get("schemas", {}).items():
            if schemas.setdefault(name, schema) != schema:
                raise ValueError(f"{name}: two groups describe it differently")
        if "schemas" in components:
            components["schemas"] = sorted(components["schemas"])
    types = {
        "version": read(server, "/version")["gitVersion"],
        "core": read(server, "/api", DISCOVERY),
        "groups": read(server, "/apis", DISCOVERY),
        "schemas": schemas,
    }
    named = {"types": types, "paths": documents, "columns": columns(server, types["core"], types["groups"])}
    return {DATA / f"{MINOR}-{name}.json.xz": packed(content) for name, content in named.items()}


def listing(server: ApiServer) -> dict[str, dict[str, str]]:
    """The documents that there are."""
    paths: dict[str, dict[str, str]] = read(server, "/openapi/v3")["paths"]
    return paths


def columns(server: ApiServer, *documents: Any) -> dict[str, Any]:
    """The heads of the tables of all types that are listed, but those of a name and a date alone."""
    found: dict[str, Any] = {}
    for group in (one for document in documents for one in document["items"]):
        name = group["metadata"].get("name", "")
        for version in group["versions"]:
            prefix = f"/apis/{name}/{version['version']}" if name else f"/api/{version['version']}"
            for one in version.get("resources", ()):
                if "list" in one["verbs"]:
                    heads = read(server, f"{prefix}/{one['resource']}", TABLE)["columnDefinitions"]
                    if [each["name"] for each in heads] != ["Name", "Created At"]:
                        found[f"{one['resource']}.{name}" if name else one["resource"]] = heads
    return found


def read(server: ApiServer, path: str, accept: str = "application/json") -> Any:
    """What the API server answers, decoded."""
    context = ssl.create_default_context(cadata=server.authority.certificate.decode())
    context.load_cert_chain(server.directory / "admin.crt", server.directory / "admin.key")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    request = urllib.request.Request(server.url + path, headers={"Accept": accept})
    with opener.open(request, timeout=30) as answer:
        return msgspec.json.decode(answer.read())


def packed(content: object) -> bytes:
    """JSON in a fixed order, compressed as far as it goes."""
    # Only what is named in no order is put in one: the order of resources and versions has a meaning.
    return lzma.compress(msgspec.json.encode(content, order="sorted"), preset=9 | lzma.PRESET_EXTREME)


def main() -> int:
    """Write, or with --check compare; the exit code says whether all is fresh."""
    server = launch(MINOR)
    try:
        contents = captured(server)
    finally:
        server.stop()
        shutil.rmtree(server.directory, ignore_errors=True)
    if "--check" not in sys.argv[1:]:
        DATA.mkdir(exist_ok=True)
        for path, content in contents.items():
            path.write_bytes(content)
        return 0
    stale = [path for path, content in contents.items() if not path.exists() or path.read_bytes() != content]
    for path in stale:
        print(f"{path.name}: not what this API server says; run `python -m scripts.capture_schemas`", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
