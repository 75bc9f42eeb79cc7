"""A host's cable: a network namespace of its own and a virtual Ethernet pair from it to the bridge, as shell scripts.

Scripts, because the host's power supply runs them too, without any Python: a host that reboots begins with a network
that remembers nothing, and one that switched itself off answers nothing. Both may be repeated after a kill anywhere.
"""

from __future__ import annotations

from shlex import join

from homeostat.local.hosts.ports import HostSpec


def plug_in(spec: HostSpec) -> str:
    """A script that replaces the host's namespace and cable by new ones; it stops at the first failure."""
    inside = ("ip", "-n", spec.name)
    commands = [
        ("ip", "netns", "add", spec.name),
        ("ip", "link", "add", spec.veth, "type", "veth", "peer", "name", "eth0", "netns", spec.name),
        (*inside, "link", "set", "lo", "up"),
        (*inside, "addr", "add", f"{spec.address}/{spec.prefix}", "dev", "eth0"),
        (*inside, "link", "set", "eth0", "up"),
        (*inside, "route", "add", "default", "via", spec.gateway),
        *((*inside, "route", "add", route.destination, "via", route.via) for route in spec.routes),
        # Last, so that nothing on the bridge meets a host that is half wired.
        ("ip", "link", "set", spec.veth, "master", spec.bridge, "up"),
    ]
    return pull_out(spec) + "set -e\n" + "".join(f"{join(command)}\n" for command in commands)


def pull_out(spec: HostSpec) -> str:
    """A script that removes both, and is content when there is nothing.

    The cable goes first: a namespace lives on while any process is in it, and would go on answering for the host.
    """
    commands = (("ip", "link", "del", spec.veth), ("ip", "netns", "del", spec.name))
    return "".join(f"{join(command)} 2>/dev/null || :\n" for command in commands)
