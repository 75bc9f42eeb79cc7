"""Where official releases are looked for: at the projects' own hosts, or below the address in HOMEOSTAT_MIRROR.

The address is looked at before anything else, so that a mistyped one is told even when nothing has to be fetched.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from msgspec import Struct

from homeostat.local.binaries.errors import BinariesError

VARIABLE = "HOMEOSTAT_MIRROR"
HOSTS = {"kubernetes": "https://dl.k8s.io", "github": "https://github.com"}


class Mirror(Struct, frozen=True):
    """Where releases are looked for; no address means the projects' own hosts."""

    address: str = ""

    def __post_init__(self) -> None:
        """Refuse an address that cannot be one."""
        if self.address and not _is_address(self.address):
            raise BinariesError(
                f"{VARIABLE}: expected http://HOST/PATH or https://HOST/PATH, found {shown(self.address)!r}; "
                "correct it, or unset it to ask the projects' own hosts"
            )

    def url(self, host: str, path: str) -> str:
        """The address of a file of a release."""
        return f"{(self.address or HOSTS[host]).rstrip('/')}/{path}"


def shown(url: str) -> str:
    """An address as it may stand in messages and files: without the password that it may carry."""
    return re.sub(r"//[^/]*@", "//", url)


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        is_complete = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # brackets or a port that are none
        return False
    return is_complete and not parts.query and not parts.fragment and not re.search(r"\s", text)
