"""Faults of disks."""

from __future__ import annotations

from homeostat.sim.world.faults.fault import NOTHING, Fault, Parameter, Scene, ailing
from homeostat.sim.world.hosts.ailing import Ail, End


def _wipe(scene: Scene) -> End:
    scene.host.wipe()
    return NOTHING


_DEVICE = {"device": Parameter("nvme0n1", "the disk", form="the name of a device", pattern="[a-z][a-z0-9-]{0,31}")}

FAULTS = (
    Fault(
        "disk-full",
        "There is no room: its Node says DiskPressure, and images cannot be pulled.",
        "There is room again.",
        ailing(Ail.DISK_FULL),
    ),
    Fault(
        "disk-read-only",
        "Its file system takes no writes: nothing can be pulled or started.",
        "It takes writes again; also by a boot.",
        ailing(
            Ail.DISK_READ_ONLY,
            says=(
                "EXT4-fs error (device {device}): ext4_journal_check_start:83: Detected aborted journal",
                "EXT4-fs ({device}): Remounting filesystem read-only",
            ),
        ),
        _DEVICE,
    ),
    Fault(
        "disk-errors",
        "Sectors cannot be read: the kernel says so, and images cannot be pulled.",
        "The disk was replaced; what is on it is kept.",
        ailing(
            Ail.DISK_ERRORS,
            says=(
                "I/O error, dev {device}, sector 123456 op 0x0:(READ) flags 0x80700 phys_seg 1 prio class 2",
                "critical medium error, dev {device}, sector 123456 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 2",
            ),
        ),
        _DEVICE,
    ),
    Fault(
        "disk-slow",
        "Everything that starts on it takes longer.",
        "The disk is as quick as before.",
        ailing(Ail.DISK_SLOW, amount="times"),
        {"times": Parameter(10.0, "how many times longer", least=1)},
    ),
    Fault(
        "hung-tasks",
        "Processes wait for the disk without end: everything takes much longer.",
        "The disk answers again.",
        ailing(
            Ail.DISK_SLOW,
            amount="times",
            says=("INFO: task jbd2/{device}-8:412 blocked for more than 120 seconds.",),
        ),
        {**_DEVICE, "times": Parameter(50.0, "how many times longer", least=1)},
    ),
    Fault(
        "disk-lost",
        "All that was on it is lost: images, and the volumes that lie on it.",
        "Never: what was on it is gone.",
        _wipe,
        lasts=False,
    ),
)
