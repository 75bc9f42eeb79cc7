"""A whole control plane of real parts: a bare API server, with a controller manager and a scheduler beside it.

It has no kubelets; a test plays them. Started once per session, ended by process id.
"""

from __future__ import annotations

import atexit
import functools
import shutil
import subprocess
from collections.abc import Mapping

from tests.support.apiserver import STOP_TIMEOUT_S, ApiServer, launch
from tests.support.real import require

# Those that the world imitates; others would only cost time.
CONTROLLERS = (
    "deployment-controller",
    "replicaset-controller",
    "replicationcontroller-controller",
    "statefulset-controller",
    "daemonset-controller",
    "job-controller",
    "cronjob-controller",
    "ttl-after-finished-controller",
    "endpointslice-controller",
    "endpointslice-mirroring-controller",
    "endpoints-controller",
    "disruption-controller",
    "resourcequota-controller",
    "persistentvolume-binder-controller",
    "persistentvolume-protection-controller",
    "persistentvolumeclaim-protection-controller",
    "namespace-controller",
    "garbage-collector-controller",
    "node-lifecycle-controller",
    "taint-eviction-controller",
    "pod-garbage-collector-controller",
)


class ControlPlane:
    """An API server and those who work on it."""

    def __init__(self, server: ApiServer) -> None:
        self.server = server
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Let them begin; they wait for nothing but the API server, which is ready."""
        common = {"kubeconfig": str(self.server.kubeconfig), "leader-elect": "false", "kube-api-qps": "500"}
        common |= {"kube-api-burst": "1000", "secure-port": "0"}
        self._launch(
            "kube-controller-manager",
            common | {"controllers": ",".join(CONTROLLERS), "node-monitor-period": "1s"},
        )
        self._launch("kube-scheduler", {**common, "secure-port": "0"})

    def stop(self) -> None:
        """End all of it, the API server last."""
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            try:
                process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.server.stop()

    def _launch(self, name: str, flags: Mapping[str, str]) -> None:
        command = [str(require(name, "1.35")), *(f"--{flag}={value}" for flag, value in flags.items())]
        with (self.server.directory / f"{name}.log").open("wb") as log:
            guarded = ["setpriv", "--pdeathsig", "KILL", *command]
            self._processes.append(subprocess.Popen(guarded, stdout=log, stderr=subprocess.STDOUT))


@functools.cache
def control_plane() -> ControlPlane:
    """The one of this test session."""
    made = ControlPlane(launch("1.35"))

    def end() -> None:
        made.stop()
        shutil.rmtree(made.server.directory, ignore_errors=True)

    atexit.register(end)
    made.start()
    return made
