"""Faults of whole hosts: power, reboots, kernels that stop."""

from __future__ import annotations

from homeostat.sim.world.faults.fault import A_YEAR_S, NOTHING, Fault, Parameter, Scene, together
from homeostat.sim.world.hosts.ailing import Ail, End
from homeostat.sim.world.hosts.host import Power


def _cut(scene: Scene) -> End:
    host = scene.host
    scene.centre.cut_power(host.name)
    return End(lambda: scene.centre.power_on(host.name), lambda: host.power is Power.OFF)


def _reboot(scene: Scene) -> End:
    scene.centre.reboot(scene.host.name)
    return NOTHING


def _panic(scene: Scene) -> End:
    """As often as asked, a while after each boot; undone, the host stays up after its next boot."""
    centre, host, left = scene.centre, scene.host, [int(scene.number("times"))]

    async def panic() -> None:
        while left[0] > 0:
            left[0] -= 1
            host.log("Kernel panic - not syncing: Fatal exception in interrupt", centre.clock)
            centre.cut_power(host.name)
            centre.power_on(host.name)
            await centre.clock.sleep(scene.number("every_s"))

    centre.spawn(panic(), f"panics of {host.name}")

    def end() -> None:
        left[0] = 0

    return End(end, lambda: left[0] > 0)


def _oops(scene: Scene) -> End:
    scene.log(
        "BUG: kernel NULL pointer dereference, address: 0000000000000008",
        "Oops: 0000 [#1] PREEMPT SMP NOPTI",
    )
    return scene.host.ailments.begin(Ail.HEAT, scene.number("times"))


def _lockup(scene: Scene) -> End:
    scene.log("watchdog: BUG: soft lockup - CPU#3 stuck for 23s! [kworker/3:1:177]")
    ends = [scene.host.ailments.begin(Ail.KUBELET), scene.host.ailments.begin(Ail.HEAT, scene.number("times"))]
    return together(ends)


FAULTS = (
    Fault("host-down", "It has no power, from one moment to the next.", "Power comes back, and it boots.", _cut),
    Fault("reboot", "It shuts down and boots, without anybody having asked.", "By itself.", _reboot, lasts=False),
    Fault(
        "kernel-panic",
        "Its kernel stops, and it boots again; several times, it is a loop.",
        "The loop ends with the boot that is under way.",
        _panic,
        {
            "times": Parameter(1, "how often", least=1, most=1000),
            "every_s": Parameter(300.0, "seconds between two of them", least=0.1, most=A_YEAR_S),
        },
    ),
    Fault(
        "kernel-oops",
        "Its kernel fails somewhere and goes on; everything takes longer.",
        "Its kernel is well again.",
        _oops,
        {"times": Parameter(2.0, "how many times longer", least=1)},
    ),
    Fault(
        "soft-lockup",
        "A processor is stuck: the kubelet does nothing, and everything takes longer.",
        "The processor goes on.",
        _lockup,
        {"times": Parameter(10.0, "how many times longer", least=1)},
    ),
)
