"""Faults of the network, of images, and of the way to the API server."""

from __future__ import annotations

from homeostat.sim.world.faults.fault import A_YEAR_S, Fault, Parameter, Scene, ailing, saying
from homeostat.sim.world.hosts.ailing import Ail, End


def _flap(scene: Scene) -> End:
    """Away and there again, each for as long as asked, until it is undone."""
    centre, host, state = scene.centre, scene.host, {"goes on": True}

    async def flap() -> None:
        while state["goes on"]:
            host.log("igb 0000:01:00.0 eth0: NIC Link is Down", centre.clock)
            end = host.ailments.begin(Ail.NETWORK)
            await centre.clock.sleep(scene.number("down_s"))
            end()
            host.log("igb 0000:01:00.0 eth0: NIC Link is Up 1000 Mbps Full Duplex", centre.clock)
            if state["goes on"]:
                await centre.clock.sleep(scene.number("up_s"))

    centre.spawn(flap(), f"link of {host.name}")

    def end() -> None:
        state["goes on"] = False

    return End(end, lambda: state["goes on"])


def _remove_image(scene: Scene) -> End:
    registry, image = scene.centre.registry, scene.target
    registry.remove(image)
    return End(lambda: registry.push(image), lambda: registry.lacks(image))


def _registry_down(scene: Scene) -> End:
    return scene.centre.registry.go_down()


FAULTS = (
    Fault(
        "network-partition",
        "Nothing reaches it, and it reaches nothing; it runs on.",
        "The network works again.",
        ailing(Ail.NETWORK),
    ),
    Fault(
        "link-down",
        "Its cable is out: as a partition, and the kernel says so.",
        "The cable is in again.",
        ailing(Ail.NETWORK, says=("igb 0000:01:00.0 eth0: NIC Link is Down",)),
    ),
    Fault(
        "link-flapping",
        "Its network goes and comes again and again.",
        "The network works again after it is up the next time.",
        _flap,
        {
            "down_s": Parameter(5.0, "seconds without", least=0.1, most=A_YEAR_S),
            "up_s": Parameter(30.0, "seconds with it", least=0.1, most=A_YEAR_S),
        },
    ),
    Fault(
        "packet-loss",
        "A share of what it sends and is sent is lost, for those that ask how much is.",
        "All arrives.",
        ailing(Ail.LOSS, amount="share"),
        {"share": Parameter(0.1, "of all packets", least=0, most=1)},
    ),
    Fault(
        "conntrack-full",
        "No new connection is remembered: most of what is new is lost.",
        "There is room for connections.",
        ailing(Ail.LOSS, amount="share", says=("nf_conntrack: nf_conntrack: table full, dropping packet",)),
        {"share": Parameter(0.9, "of all packets", least=0, most=1)},
    ),
    Fault(
        "device-leak",
        "A network device of a Pod that is gone is never let go: the kernel says so.",
        "By itself: it is told once.",
        saying("unregister_netdevice: waiting for veth12ab to become free. Usage count = 1"),
        lasts=False,
    ),
    Fault(
        "api-server-unreachable",
        "Kubelets do not reach the API server, while hosts reach each other: all Leases are stale at once.",
        "They reach it again.",
        ailing(Ail.SERVER),
    ),
    Fault("image-missing", "Nobody can pull it.", "It is pushed again.", _remove_image, on="image"),
    Fault("registry-down", "No image can be pulled.", "The registry answers again.", _registry_down, on="centre"),
)
