"""When masters of a newer minor version serve the older one, and what that means for going back. Pure.

A newer minor version is entered in two steps. First its programs run with `--emulated-version` of the minor that is
served already and the `--min-compatibility-version` that this one has by itself: they serve the same APIs and store the
same versions of objects, so all can be left again without loss. When `spec.upgradePolicy.finishEmulation` says so they
are started without these flags, one after the other, as in any move. From the first API server on, more may be stored
than the older version knows; there is no way back to not having stored it but a snapshot.

A step that ends emulation and fails is taken back, or left, as `onFailure` says. It is not tried again by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from msgspec.structs import replace

from homeostat.api.cluster.masters import STATELESS
from homeostat.api.cluster.upgrades import ClusterEmulationStatus
from homeostat.api.cluster.v1alpha1 import Cluster, ClusterPackageVersion, ClusterStatus
from homeostat.operators.cluster.rollout.versions import Version, version_of

EMULATING = STATELESS
_FIRST = Version(1, 32, 0)  # emulates another minor than its own
_FIRST_COMPATIBLE = Version(1, 35, 0)  # can be told what to be compatible with
_SHOWN = 1000


def held(status: ClusterStatus) -> ClusterEmulationStatus | None:
    """The emulation that has not ended."""
    known = status.emulation
    return known if known is not None and known.ended_at is None else None


def emulated(
    cluster: Cluster, package: str, packages: Mapping[str, ClusterPackageVersion], now: datetime, *, is_elsewhere: bool
) -> str:
    """The minor version that masters of a package version shall behave as now; empty: their own.

    `is_elsewhere`: more is to be done than to end emulation, and that comes first.
    """
    version, known = on_the_way(cluster, package, packages), held(cluster.status)
    is_ending = known is not None and not is_elsewhere and is_due(cluster, known, now)
    return "" if is_ending else version


def on_the_way(cluster: Cluster, package: str, packages: Mapping[str, ClusterPackageVersion]) -> str:
    """The minor version that masters behave as until all are of a package version; empty: their own."""
    status = cluster.status
    if status.ready_at is None or not {status.package_version, package} <= packages.keys():
        return ""
    here = version_of(packages[status.package_version].spec.kubernetes_version)
    there = version_of(packages[package].spec.kubernetes_version)
    if there.minors_above(here) > 0:
        return here.line if there >= _FIRST else ""
    known = held(status)
    return known.version if known is not None and there.minors_above(here) == 0 else ""


def is_due(cluster: Cluster, known: ClusterEmulationStatus, now: datetime) -> bool:
    """Whether emulation ends now, or is ending."""
    policy = cluster.spec.upgrade_policy
    if policy.finish_emulation == "Manual" or known.failure:
        return False
    delay = policy.emulation_delay_seconds if policy.finish_emulation == "AfterDelay" else 0
    return now >= known.since + timedelta(seconds=delay)


def flags(emulated_version: str, binary: Version) -> dict[str, str]:
    """What makes a program behave as an older minor version does by itself."""
    if not emulated_version:
        return {}
    major, minor = emulated_version.split(".")
    if binary < _FIRST_COMPATIBLE:
        return {"emulated-version": emulated_version}
    return {"emulated-version": emulated_version, "min-compatibility-version": f"{major}.{int(minor) - 1}"}


def remembered(before: ClusterStatus, emulates: str, line: str, now: datetime) -> ClusterEmulationStatus | None:
    """What is remembered once all masters are where they shall be: of a minor version, and behaving as an older one."""
    known = before.emulation
    if emulates:
        if known is not None and known.version == emulates and known.ended_at is None:
            return known
        snapshot = before.upgrade.snapshot if before.upgrade is not None else ""
        return ClusterEmulationStatus(version=emulates, since=now, snapshot=snapshot)
    if known is None or known.version == line:  # they are back at what they emulated
        return None
    return known if known.ended_at is not None else replace(known, ended_at=now, failure="")


def left(known: ClusterEmulationStatus | None, now: datetime) -> ClusterEmulationStatus | None:
    """The same, when the first API server begins to serve its own version."""
    return known if known is None or known.left_at is not None else replace(known, left_at=now)


def failed(known: ClusterEmulationStatus | None, why: str) -> ClusterEmulationStatus | None:
    """The same, when it could not be ended."""
    return None if known is None else replace(known, failure=why[:_SHOWN])


def forgiven(cluster: Cluster) -> ClusterEmulationStatus | None:
    """What is remembered; a failure is forgotten when a person took ending it upon himself."""
    known = cluster.status.emulation
    if known is None or not known.failure or cluster.spec.upgrade_policy.finish_emulation != "Manual":
        return known
    return replace(known, failure="")


def lost(status: ClusterStatus, now: Version, then: Version) -> str:
    """What going back costs once more is stored than an older version knows."""
    known = status.emulation if status.emulation is not None and status.emulation.version == then.line else None
    since = f" since {known.left_at:%FT%TZ}" if known is not None and known.left_at is not None else ""
    told = (
        f"{now.line} stores its own version{since}: what only it knows of an object is not served by {then.line}, and"
        " is lost when the object is written there"
    )
    return f"{told}; snapshot {known.snapshot} is from before" if known is not None and known.snapshot else told


def keeps_data(status: ClusterStatus, emulates: str, now: Version, then: Version) -> bool:
    """Whether an older version knows all that API servers stored which behave as `emulates`."""
    if now.minors_above(then) <= 0:
        return True
    known = held(status)
    return emulates == then.line and (known is None or known.left_at is None)


def serves(cluster: Cluster, newer: Version) -> str:
    """Until when an older minor version is served, in words; empty when none is."""
    known, policy = held(cluster.status), cluster.spec.upgrade_policy
    if known is None:
        return ""
    now = f"masters of {newer} serve {known.version} as before"
    if known.failure:
        again = "mend that, then set spec.upgradePolicy.finishEmulation to Manual and back to try again"
        return f"{now}: ending that failed: {known.failure}; {again}"
    if policy.finish_emulation == "AfterDelay":
        return f"{now} until {known.since + timedelta(seconds=policy.emulation_delay_seconds):%FT%TZ}"
    return f"{now} until spec.upgradePolicy.finishEmulation is no longer Manual"
