"""Which images there are to be had, and what a kubelet is told about those that are not.

Images of simulated fleets have no bytes. All exist, but for those that were taken away by name.
"""

from __future__ import annotations

import hashlib
from itertools import count

from homeostat.sim.world.hosts.ailing import End


class Registry:
    """Where hosts pull images from."""

    def __init__(self) -> None:
        self._missing: dict[str, None] = {}
        self._outages: dict[int, None] = {}
        self._numbers = count()

    def go_down(self) -> End:
        """Answer nobody, until what is given back is called."""
        number = next(self._numbers)
        self._outages[number] = None
        return End(lambda: self._outages.pop(number, None), lambda: number in self._outages)

    def remove(self, image: str) -> None:
        """Nobody can pull it from now on; hosts that have it keep it."""
        self._missing[image] = None

    def lacks(self, image: str) -> bool:
        """Whether it was taken away."""
        return image in self._missing

    def push(self, image: str) -> None:
        """It can be pulled from now on."""
        self._missing.pop(image, None)

    def refusal(self, image: str) -> str:
        """Why a pull fails, as containerd words it; empty when it succeeds."""
        if self._outages:
            host = _host(image)
            why = f'failed to do request: Head "https://{host}/v2/": dial tcp: connect: connection refused'
            return _told("Unknown", image, why)
        if image in self._missing:
            return _told("NotFound", image, f"{reference(image)}: not found")
        return ""


def reference(image: str) -> str:
    """An image as containerd names it: with host, path and tag."""
    host, slash, rest = image.partition("/")
    is_whole = slash and ("." in host or ":" in host or host == "localhost")
    full = image if is_whole else f"docker.io/{image}" if slash else f"docker.io/library/{image}"
    del rest
    last = full.rpartition("/")[2]
    return full if ":" in last or "@" in last else f"{full}:latest"


def identity(image: str) -> str:
    """What a kubelet says that an image is: a digest, the same on all hosts."""
    return f"sha256:{hashlib.sha256(reference(image).encode()).hexdigest()}"


def _host(image: str) -> str:
    return reference(image).partition("/")[0]


def _told(code: str, image: str, why: str) -> str:
    full = reference(image)
    text = f'failed to pull and unpack image "{full}": failed to resolve reference "{full}": {why}'
    return f"rpc error: code = {code} desc = {text}"
