"""The OCI bundle that makes a container a machine: all that systemd, containerd and kubelet need, and not more.

Not given: CAP_SYS_TIME (setting the clock inside would set the clock of the whole machine) and CAP_SYS_RESOURCE (not to
be had in every sandbox; containerd's restrict_oom_score_adj makes up for it).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from homeostat.local.hosts.ports import HostSpec

_CAPABILITIES = (
    "AUDIT_CONTROL",
    "AUDIT_READ",
    "AUDIT_WRITE",
    "BLOCK_SUSPEND",
    "BPF",
    "CHECKPOINT_RESTORE",
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "IPC_LOCK",
    "IPC_OWNER",
    "KILL",
    "LEASE",
    "LINUX_IMMUTABLE",
    "MAC_ADMIN",
    "MAC_OVERRIDE",
    "MKNOD",
    "NET_ADMIN",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_RAW",
    "PERFMON",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYSLOG",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_CHROOT",
    "SYS_MODULE",
    "SYS_NICE",
    "SYS_PACCT",
    "SYS_PTRACE",
    "SYS_RAWIO",
    "SYS_TTY_CONFIG",
    "WAKE_ALARM",
)

# Directories that must lie on a real file system (overlay cannot stand on overlay) or must survive a reinstallation.
SYSTEM_DATA = {
    "containerd": "/var/lib/containerd",
    "kubelet": "/var/lib/kubelet",
    "pods": "/var/log/pods",
    "etcd": "/var/lib/etcd",
}
DISKS = {"volumes": "/var/lib/homeostat-volumes"}


def config(spec: HostSpec, directory: Path, cgroup: str) -> dict[str, Any]:
    """runc's config.json for a host whose files lie in `directory`."""
    capabilities = [f"CAP_{name}" for name in _CAPABILITIES]
    return {
        "ociVersion": "1.0.2",
        "process": {
            "terminal": True,
            "user": {"uid": 0, "gid": 0},
            "args": ["/lib/systemd/systemd", "--log-target=journal", "--show-status=true"],
            "env": ["container=runc", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
            "cwd": "/",
            "capabilities": dict.fromkeys(("bounding", "effective", "inheritable", "permitted"), capabilities),
            "noNewPrivileges": False,
        },
        "root": {"path": str(directory / "root"), "readonly": False},
        "hostname": spec.name,
        "mounts": [*_system_mounts(), *_binds(spec, directory)],
        "linux": {
            "resources": {"devices": [{"allow": True, "access": "rwm"}]},
            "rootfsPropagation": "rshared",
            "cgroupsPath": cgroup,
            "namespaces": [
                {"type": "pid"},
                {"type": "ipc"},
                {"type": "uts"},
                {"type": "mount"},
                {"type": "cgroup"},
                {"type": "network", "path": f"/run/netns/{spec.name}"},
            ],
            "maskedPaths": [],
            "readonlyPaths": [],
        },
    }


def _system_mounts() -> list[dict[str, Any]]:
    quiet = ["nosuid", "noexec", "nodev"]
    return [
        _mount("/proc", "proc"),
        _mount("/dev", "tmpfs", ["nosuid", "strictatime", "mode=755", "size=65536k"]),
        _mount("/dev/pts", "devpts", ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]),
        _mount("/dev/shm", "tmpfs", ["nosuid", "nodev", "mode=1777"]),  # noqa: S108  (the host's own)
        _mount("/dev/mqueue", "mqueue", quiet),
        _mount("/sys", "sysfs", quiet),
        _mount("/sys/fs/cgroup", "cgroup", [*quiet, "rw"]),
        _mount("/run", "tmpfs", ["nosuid", "nodev", "mode=755"]),
        _mount("/tmp", "tmpfs", ["nosuid", "nodev", "mode=1777"]),  # noqa: S108  (the host's own)
        # The kernel's log is one for all hosts of the machine: none of them may read or drain it.
        {"destination": "/dev/kmsg", "type": "bind", "source": "/dev/null", "options": ["bind", "rw"]},
    ]


def _binds(spec: HostSpec, directory: Path) -> list[dict[str, Any]]:
    data = [
        _bind(str(directory / "data" / name), target, "rw", "rshared" if name in ("kubelet", "volumes") else "rprivate")
        for name, target in (SYSTEM_DATA | DISKS).items()
    ]
    seen = (_bind(bind.source, bind.target, "rw" if bind.writable else "ro", "rprivate") for bind in spec.binds)
    return [*data, *seen]


def _mount(target: str, kind: str, options: list[str] | None = None) -> dict[str, Any]:
    mount: dict[str, Any] = {"destination": target, "type": kind, "source": kind}
    return mount | {"options": options} if options else mount


def _bind(source: str, target: str, access: str, propagation: str) -> dict[str, Any]:
    return {"destination": target, "type": "bind", "source": source, "options": ["rbind", access, propagation]}
