"""Plain requests to the real API server, and its answers as they are compared."""

from __future__ import annotations

import functools
import ssl
import urllib.error
import urllib.request
from typing import Any

import msgspec
from tests.support.apiserver import ApiServer

from homeostat.sim.apiserver.refusing import Cause, invalid


@functools.cache
def opener(server: ApiServer) -> urllib.request.OpenerDirector:
    context = ssl.create_default_context(cadata=server.authority.certificate.decode())
    context.load_cert_chain(server.directory / "admin.crt", server.directory / "admin.key")
    return urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))


def ask(server: ApiServer, method: str, path: str, body: object = None) -> tuple[Any, list[str]]:
    """The object or Status that comes back, and the warnings beside it."""
    data = body if isinstance(body, bytes) or body is None else msgspec.json.encode(body)
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(server.url + path, data=data, method=method, headers=headers)
    try:
        answer = opener(server).open(request, timeout=30)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        warnings = [
            each.removeprefix('299 - "')[:-1].replace('\\"', '"') for each in answer.headers.get_all("Warning", [])
        ]
        content = answer.read()
        if not content.startswith(b"{"):
            return {"kind": "Status", "status": "Failure", "code": answer.status, "reason": content.decode()}, warnings
        return msgspec.json.decode(content), warnings


def verdict(answer: Any) -> dict[str, Any] | None:
    """What a refusal says; None is no refusal. Causes have no order: the API server walks over maps."""
    if answer.get("kind") != "Status" or answer.get("status") != "Failure":
        return None
    details = answer.get("details") or {}
    found = sorted(tuple(sorted(each.items())) for each in details.get("causes") or ())
    shown: dict[str, Any] = {"code": answer["code"], "reason": answer["reason"], "causes": found}
    # The message joins the causes in their order.
    return shown if len(found) > 1 else shown | {"message": answer.get("message"), "kind": details.get("kind")}


def verdict_of(group: str, kind: str, name: str, causes: list[Cause]) -> dict[str, Any] | None:
    """What the simulated API server says of causes, if there are any."""
    return verdict(invalid(group, kind, name, causes).status()) if causes else None


def await_served(server: ApiServer, path: str) -> None:
    """Wait until the objects of a new CRD can be asked for."""
    for _ in range(10_000):  # of a millisecond or more each
        if verdict(ask(server, "GET", path)[0]) is None:
            return
    raise AssertionError(f"{path}: not served")
