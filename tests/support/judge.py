"""A webhook for tests: HTTPS on loopback, in a thread, whose answers tests write, and which remembers what it heard."""

from __future__ import annotations

import json
import ssl
import tempfile
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.support.certificates import Authority

Review = dict[str, Any]
Reply = bytes | tuple[int, bytes]
Says = Callable[[Review], Reply]


class Judge:
    """Answers at `/NAME` by the function of that name, and is silent at a name that has None."""

    def __init__(self, says: dict[str, Says | None]) -> None:
        self.says = says
        self.heard: list[tuple[str, Review]] = []
        self.authority = Authority()
        self.port = 0
        self.ending = threading.Event()

    def config(self, name: str) -> dict[str, Any]:
        """The clientConfig that leads to a name."""
        bundle = b64encode(self.authority.certificate).decode()
        return {"url": f"https://127.0.0.1:{self.port}/{name}", "caBundle": bundle}

    def taken(self) -> list[tuple[str, Review]]:
        """What was heard since this was last asked."""
        heard, self.heard = self.heard, []
        return heard

    @contextmanager
    def serving(self) -> Iterator[Judge]:
        """Serve until the end of the block."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        server.daemon_threads = True
        server.socket = _context(self.authority).wrap_socket(server.socket, server_side=True)
        self.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield self
        finally:
            self.ending.set()
            server.shutdown()
            thread.join()
            server.server_close()


def response(review: Review, **parts: Any) -> bytes:
    """A whole answer to a review: yes, unless the parts say otherwise."""
    said = {"uid": review["request"]["uid"], "allowed": True, **parts}
    return json.dumps({"kind": "AdmissionReview", "apiVersion": review["apiVersion"], "response": said}).encode()


def patch(review: Review, *operations: dict[str, Any], **parts: Any) -> bytes:
    """An answer that changes the object."""
    encoded = b64encode(json.dumps(operations).encode()).decode()
    return response(review, patchType="JSONPatch", patch=encoded, **parts)


def _handler(judge: Judge) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            name = self.path.partition("?")[0].strip("/")
            review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            judge.heard.append((self.path, review))
            says = judge.says[name]
            if says is None:
                judge.ending.wait(30)
                return
            reply = says(review)
            code, body = reply if isinstance(reply, tuple) else (200, reply)
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing: tests ask what was heard."""

    return Handler


def _context(authority: Authority) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate, key = authority.server("127.0.0.1", "localhost")
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "pair.pem"
        file.write_bytes(key.rstrip() + b"\n" + certificate)
        context.load_cert_chain(file)
    return context
