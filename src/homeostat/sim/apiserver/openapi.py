"""The OpenAPI documents of the built-in types, as a real API server wrote them, for clients that read them.

Custom types have no documents yet: clients that explain or check fields by them fall back to what the server says.
"""

from __future__ import annotations

from homeostat.sim.apiserver.answer import Answer, told
from homeostat.sim.apiserver.refusing import not_imitated
from homeostat.sim.apiserver.schemas.captured import MINOR, openapi, openapi_paths

_ROOT = "/openapi/v3"
_PROTOBUF = "protobuf"


def documented(path: str, accept: str) -> Answer | None:
    """The list of documents, or one of them; None when the path is not theirs. Raises Refused."""
    if path.startswith("/openapi/v2"):
        raise not_imitated("OpenAPI v2")
    if not path.startswith(_ROOT):
        return None
    if _PROTOBUF in accept and "json" not in accept:
        raise not_imitated("OpenAPI in protobuf")
    name = path.removeprefix(_ROOT).strip("/")
    if not name:
        return told({"paths": {each: _reference(each) for each in openapi_paths()}})
    if name not in openapi_paths():
        return None
    return told(openapi(name))


def _reference(name: str) -> dict[str, str]:
    # Clients keep a document for as long as its hash is the same; these never change within a version.
    return {"serverRelativeURL": f"{_ROOT}/{name}?hash={MINOR}"}
