"""Pods whose security contexts are wrong."""

from __future__ import annotations

from typing import Any

from tests.contract.sim.bodies import Body, of


def container(**parts: Any) -> Body:
    return {"name": "c", "image": "i"} | parts


def pod(*containers: Body, **spec: Any) -> Body:
    return of("Pod", spec={"containers": list(containers or (container(),)), **spec})


WRONG: dict[str, Body] = {
    "Pod with sysctls": pod(
        hostNetwork=True,
        securityContext={
            "sysctls": [
                {"name": name, "value": "1"} for name in ("", "A", "foo-", "kernel.shmmax", "kernel.shmmax", "net/a.b")
            ]
        },
    ),
    "Pod of nobody": pod(
        hostPID=True,
        shareProcessNamespace=True,
        securityContext={
            "fsGroup": -1,
            "runAsUser": 2**31,
            "runAsGroup": -1,
            "supplementalGroups": [1, -1],
            "fsGroupChangePolicy": "Foo",
            "supplementalGroupsPolicy": "Foo",
            "seLinuxChangePolicy": "Foo",
            "seccompProfile": {"type": "Foo"},
            "appArmorProfile": {"type": "Foo"},
        },
    ),
    "Pod of profiles": pod(
        container(
            securityContext={
                "runAsUser": -1,
                "runAsGroup": -1,
                "procMount": "Unmasked",
                "allowPrivilegeEscalation": False,
                "capabilities": {"add": ["CAP_SYS_ADMIN"]},
                "seLinuxOptions": {"user": "u"},
                "seccompProfile": {"type": "Localhost", "localhostProfile": "/a/../b"},
                "appArmorProfile": {"type": "Localhost", "localhostProfile": " a"},
            }
        ),
        container(
            name="d",
            securityContext={
                "procMount": "Foo",
                "seccompProfile": {"type": "Unconfined", "localhostProfile": "a"},
                "appArmorProfile": {"type": "Unconfined", "localhostProfile": "a"},
            },
        ),
        container(
            name="e",
            securityContext={"seccompProfile": {"type": "Localhost"}, "appArmorProfile": {"type": "Localhost"}},
        ),
    ),
}
