"""Which addresses a simulated data centre may give to its load balancers: a range of loopback that no other one has.

Loopback is one for all users of a machine, who do not see each other's directories. So a range is claimed by a socket
at one of its own addresses: nobody else can have that, and the system lets go of it however the process ends.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager

# 127.64.0.0 to 127.127.255.255: of 127.0.0.0/8, all of which is loopback, a part that nobody else is known to use.
FIRST, RANGES = 64, 64
_CLAIM, _PORT = "255.254", 6443  # the last address of a range, which balancers would come to as the last one


class NoneFree(Exception):
    """So many simulated data centres run on this machine that no range is left."""


@contextmanager
def claimed() -> Iterator[str]:
    """A range that is one's own until the block ends. Raises NoneFree.

    Where loopback has one address only, as on other systems than Linux, nobody can use any: it is the first one then.
    """
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as claim:
        found = next((each for each in range(FIRST, FIRST + RANGES) if _is_ours(claim, each)), None)
        if found is None:
            raise NoneFree(f"expected one of {RANGES} ranges from 127.{FIRST}.0.0/16 on to be free, found none")
        yield f"127.{found}.0.0/16"


def _is_ours(claim: socket.socket, number: int) -> bool:
    try:
        claim.bind((f"127.{number}.{_CLAIM}", _PORT))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return False
        if error.errno != errno.EADDRNOTAVAIL:
            raise
    return True
