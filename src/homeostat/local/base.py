"""The Debian root that all hosts share, read-only: made once by mmdebstrap from this machine's own package sources.

Cached by content: the key is the digest of the package list and of the changes made here. It appears in the cache by
one rename, so a killed or failed attempt leaves nothing that could be taken for a base.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import msgspec

from homeostat.kit.clock import Clock
from homeostat.local.command import CommandError, confined, run
from homeostat.local.locks import attempt, locked

SUITE = "bookworm"
PACKAGES = (
    "ca-certificates",
    "catatonit",  # its static binary is the pause image
    "conntrack",
    "containerd",
    "containernetworking-plugins",
    "curl",
    "dbus",
    "ethtool",
    "haproxy",  # only the control host starts it
    "iproute2",
    "iptables",
    "iputils-ping",
    "kmod",
    "mount",
    "openssh-server",
    "procps",
    "runc",
    "socat",
    "systemd",
    "systemd-sysv",
    "util-linux",
)
# Units that would run on every host without being asked for; kubelet and haproxy are enabled where they belong.
_QUIET = (
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "fstrim.timer",
    "haproxy.service",
    "getty@tty1.service",
    "systemd-timesyncd.service",
    "containerd.service",
)
_FILES = {
    "etc/systemd/system.conf.d/homeostat.conf": "[Manager]\nDefaultTimeoutStopSec=5s\n",
    "etc/systemd/journald.conf.d/homeostat.conf": "[Journal]\nSystemMaxUse=64M\nRuntimeMaxUse=32M\n",
    # The kernel's boot_id is shared by all hosts of a machine; this one is a host's own, new at each boot.
    "etc/systemd/system/homeostat-boot-id.service": (
        "[Unit]\nDescription=an identity of this boot\nDefaultDependencies=no\nBefore=sysinit.target\n"
        "[Service]\nType=oneshot\nRemainAfterExit=yes\n"
        'ExecStart=/bin/sh -c "cat /proc/sys/kernel/random/uuid > /run/homeostat-boot-id"\n'
        "[Install]\nWantedBy=sysinit.target\n"
    ),
    "etc/ssh/sshd_config.d/homeostat.conf": (
        "PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\nUseDNS no\n"
        "MaxStartups 200\nMaxSessions 100\n"
    ),
    "etc/resolv.conf": "",  # a name server that does not answer costs kubeadm 50 s; Pods get theirs from kubelet
}
_LINKS = {
    "etc/systemd/system/sysinit.target.wants/homeostat-boot-id.service": "../homeostat-boot-id.service",
}
_NEEDED_BYTES = 1_500_000_000


def key() -> str:
    """The identity of the base that this version of homeostat wants."""
    content = msgspec.json.encode([SUITE, PACKAGES, _QUIET, sorted(_FILES.items()), sorted(_LINKS.items())])
    return hashlib.sha256(content).hexdigest()[:16]


async def ensure_base(cache: Path, *, clock: Clock) -> Path:
    """The base's directory below `cache`, made if it is not there. Raises CommandError."""
    directory = cache / f"debian-{key()}"
    async with locked(cache / f"{directory.name}.lock", clock=clock):
        if not directory.exists():
            await _make(directory, clock)
    return directory


async def _make(directory: Path, clock: Clock) -> None:
    free = shutil.disk_usage(directory.parent).free
    if free < _NEEDED_BYTES:
        raise CommandError(
            f"{directory.parent}: expected {_NEEDED_BYTES // 1_000_000} MB free for the base of the hosts, found"
            f" {free // 1_000_000}; free some, or point XDG_CACHE_HOME elsewhere"
        )
    with attempt(directory) as work:
        command = (
            "mmdebstrap",
            "--variant=minbase",
            "--mode=root",
            f"--include={','.join(PACKAGES)}",
            '--aptopt=Apt::Install-Recommends "false"',
            SUITE,
            work / "root",
        )
        environment = {**_plain_environment(), "SOURCE_DATE_EPOCH": "1735689600"}
        await run(confined(command), clock=clock, timeout_s=900, env=environment)
        _customise(work / "root")
        os.sync()
        (work / "root").rename(directory)


def _customise(root: Path) -> None:
    for path, content in _FILES.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        file.write_text(content)
    for path, target in _LINKS.items():
        link = root / path
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(target)
    for unit in _QUIET:
        for wants in (root / "etc/systemd/system").glob(f"*.wants/{unit}"):
            wants.unlink()
    # Every host makes its own identity and keys.
    for file in (root / "etc/machine-id", *(root / "etc/ssh").glob("ssh_host_*")):
        file.unlink(missing_ok=True)


def _plain_environment() -> dict[str, str]:
    kept = ("PATH", "HOME", "TMPDIR", "http_proxy", "https_proxy", "no_proxy")
    return {name: os.environ[name] for name in kept if name in os.environ}
