"""A simulated API server as a process of its own, in the place of a real one: for kubectl, command lines and probes.

It has the face of `tests.support.apiserver.ApiServer`: certificates for users, a kubeconfig, kubectl. There is no etcd
that could be held apart from it.
"""

from __future__ import annotations

import atexit
import functools
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from tests.support.apiserver import ApiServer, launch

_PROGRAM = Path(__file__).with_name("simulated_program.py")


class SimulatedProcess(ApiServer):
    """A process that serves one simulated API server over HTTPS."""

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command = [sys.executable, str(_PROGRAM), str(self.directory), self.url.rpartition(":")[2]]
        self._await(self._launch("kube-apiserver", command), f"{self.url}/readyz", "kube-apiserver")

    @contextmanager
    def held(self, name: Literal["etcd", "kube-apiserver"]) -> Iterator[None]:
        """It gets no time until the block ends: its port stays open, and nothing answers."""
        assert name == "kube-apiserver", "there is no etcd"
        (process,) = self._processes
        process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            process.send_signal(signal.SIGCONT)


@functools.cache
def shared_process() -> ApiServer:
    """The one of this test session."""
    made = launch(of=SimulatedProcess)

    def end() -> None:
        made.stop()
        shutil.rmtree(made.directory, ignore_errors=True)

    atexit.register(end)
    return made
