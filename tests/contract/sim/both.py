"""One question to the real API server and to the simulated one, and what of the answers can be compared."""

from __future__ import annotations

import asyncio
import re
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from tests.contract.sim.asking import opener
from tests.support.apiserver import ApiServer as RealServer
from tests.support.simulated import ADMIN, simulated_server

from homeostat.kit.clock import SystemClock
from homeostat.sim.apiserver.server import ApiServer, Request

Body = dict[str, Any]
AGENT = "agree"
_JSON = "application/json"
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
_UID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ADDRESS = re.compile(r'"10\.0\.\d+\.\d+"')
_NODE_PORT = re.compile(r'"nodePort":\d+')


class Both:
    """The two servers. What is asked of one is asked of the other."""

    def __init__(self, real: RealServer) -> None:
        self.real = real
        self.simulated: ApiServer = simulated_server(SystemClock())

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        query: str = "",
        media: str = _JSON,
        headers: Mapping[str, str] = {},
    ) -> tuple[Any, Any]:
        """Both answers: of the real one first."""
        content = body if isinstance(body, bytes) else b"" if body is None else msgspec.json.encode(body)
        sent = {"Content-Type": media, "User-Agent": AGENT, **headers}
        return self._real(method, path, query, content, sent), self._simulated(method, path, query, content, sent)

    def _real(self, method: str, path: str, query: str, content: bytes, headers: dict[str, str]) -> Any:
        url = f"{self.real.url}{path}{'?' if query else ''}{query}"
        request = urllib.request.Request(url, data=content or None, method=method, headers=headers)
        try:
            answer = opener(self.real).open(request, timeout=30)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return _decoded(answer.read())

    def _simulated(self, method: str, path: str, query: str, content: bytes, headers: dict[str, str]) -> Any:
        parameters = dict(parse_qsl(query, keep_blank_values=True))
        sent = {name.lower(): each for name, each in headers.items()}
        asked = Request(method=method, path=path, query=parameters, headers=sent, body=content)
        return _decoded(asyncio.run(self.simulated.answer(asked, ADMIN)).body)


@contextmanager
def in_namespace(real: RealServer, name: str) -> Iterator[Both]:
    """Both with a namespace, as long as the block lasts."""
    made = Both(real)
    made.ask("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
    yield made
    made.ask("DELETE", f"/api/v1/namespaces/{name}")


def comparable(answer: Any) -> Any:
    """An object without what no two servers have in common: uids, times, versions, addresses and ports of hosts."""
    text = msgspec.json.encode(answer, order="sorted").decode()
    for pattern, word in ((_TIME, "TIME"), (_UID, "UID"), (_ADDRESS, '"ADDRESS"'), (_NODE_PORT, '"nodePort":0')):
        text = pattern.sub(word, text)
    found = msgspec.json.decode(text)
    if isinstance(found, dict) and isinstance(found.get("metadata"), dict):
        found["metadata"].pop("resourceVersion", None)
    return found


def refusal(answer: Any) -> Any:
    """What clients act on: the code, the reason and the causes, whatever their order."""
    if not isinstance(answer, dict) or answer.get("kind") != "Status":
        return answer
    causes = (answer.get("details") or {}).get("causes") or ()
    # After the first line a real server may go on with what differs, as Go prints it.
    found = sorted((each.get("field", ""), each["reason"], each["message"].partition("\n")[0]) for each in causes)
    return {"code": answer.get("code"), "reason": answer.get("reason"), "causes": found}


def _decoded(content: bytes) -> Any:
    return msgspec.json.decode(content) if content.startswith(b"{") else content.decode()


def refusal_of_rules(answer: Any) -> Any:
    """What is compared of a refusal about expressions: of compilers what they refuse, not in which words."""
    found = refusal(comparable(answer))
    if "causes" in found:
        found["causes"] = [
            (field, reason, text.partition(": compilation failed")[0].partition("must evaluate to")[0])
            for field, reason, text in found["causes"]
        ]
    return found
