"""The programs that clusters are made of: Kubernetes, etcd, CoreDNS, and the volume provisioner.

Each comes from the first of these that has it: an explicit directory, the cache, the project's official release
(verified against its published checksums), or a build by the Go toolchain from the pinned modules below `engines/`.
`components` says what is wanted, `ensuring` asks the sources in order, and the cache (`store`) stays sound whatever
happens: files appear in it by rename, under a lock, verified.
"""

from __future__ import annotations

from homeostat.local.binaries.ensuring import BinarySet, ensure, ensure_program
from homeostat.local.binaries.errors import BinariesError

__all__ = ["BinariesError", "BinarySet", "ensure", "ensure_program"]
