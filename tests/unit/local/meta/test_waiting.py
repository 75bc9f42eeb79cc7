"""What is asked of a host to know whether a Service takes connections."""

from __future__ import annotations

import socket
import subprocess

from homeostat.local.meta.waiting import CONNECTIONS, connections


def said(port: int) -> str:
    command = ["bash", "-c", connections("127.0.0.1", port)]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout.strip()


def test_connections_that_are_all_taken_say_so() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=CONNECTIONS) as server:
        assert said(server.getsockname()[1]) == "taken"


def test_a_connection_that_is_refused_says_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert said(port) == ""
