"""How masters move to another package version, and what of that is under way, failed, or can be taken back."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Struct, field

from homeostat.api.schema import doc


class ClusterUpgradePolicy(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True, kw_only=True):
    """How the masters move to another package version."""

    on_failure: Annotated[
        str,
        doc(
            "What to do when a master does not become ready after its move. `Pause`: leave everything as it is and say "
            "so. `Rollback`: go back to the package version that was complete before.",
            enum=["Pause", "Rollback"],
        ),
    ] = "Pause"
    snapshot: Annotated[
        str,
        doc(
            "Whether a snapshot of etcd is taken before the first master moves to another package version. `Required`:"
            " nothing moves without one. `BestEffort`: one is tried. `Auto`: required where the cell has a store of"
            " snapshots, else none is taken.",
            enum=["Auto", "Required", "BestEffort"],
        ),
    ] = "Auto"
    step_timeout_seconds: Annotated[
        int, doc("How long one master may take to become ready after its move.", minimum=30, maximum=3600)
    ] = 300
    finish_emulation: Annotated[
        str,
        doc(
            "When masters of a newer minor version begin to serve it. Until then they serve and store what the older"
            " one did, so that going back loses nothing. `Immediately`: as soon as all of them are well. `AfterDelay`:"
            " so many seconds later. `Manual`: when this says something else.",
            enum=["Immediately", "AfterDelay", "Manual"],
        ),
    ] = "Immediately"
    emulation_delay_seconds: Annotated[int, doc("The delay of `AfterDelay`.", minimum=0, maximum=2592000)] = 86400
    attempt: Annotated[
        int,
        doc(
            "Raise it to have what failed, and was gone back from, tried again, once what it failed for is mended."
            " `homeostat upgrade` does so.",
            minimum=0,
        ),
    ] = 0
    approve_content: Annotated[
        str,
        doc(
            "Of a package version that was deleted and made anew with other content, the digest that the condition"
            " Accepted names: masters may be made of it. What differs changes at once, without a snapshot or a check.",
            maxLength=64,
            pattern="^[0-9a-f]*$",
        ),
    ] = ""


class PackageDigestStatus(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True, kw_only=True):
    """What a package version said when masters were first made of it."""

    name: Annotated[str, doc("The ClusterPackageVersion.", maxLength=63)]
    digest: Annotated[str, doc("A digest of its content.", maxLength=64)]


class ClusterUpgradeStatus(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True, kw_only=True):
    """A move to another package version, or to other overrides, that is under way, or that failed."""

    from_version: Annotated[str, doc("The package version that was complete before.", maxLength=63)] = field(
        name="from"
    )
    to_version: Annotated[str, doc("The package version that the masters move to now.", maxLength=63)] = field(
        name="to"
    )
    started_at: Annotated[datetime, doc("When the first master of this move was moved.")]
    component: Annotated[str, doc("The master that moved last.", maxLength=63)] = ""
    component_started_at: Annotated[datetime | None, doc("When that master was moved.")] = None
    counted_from: Annotated[
        datetime | None,
        doc("Since when its time counts: until then it was well, or a host that it needed was away."),
    ] = None
    unproven: Annotated[
        tuple[str, ...],
        doc(
            "Masters that were moved before and are not ready since: what they need served nobody, and was moved next."
            " They are judged when it serves.",
            maxItems=64,
            items={"maxLength": 63},
        ),
    ] = ()
    snapshot: Annotated[
        str, doc("The snapshot that was taken before anything moved; empty when none was.", maxLength=63)
    ] = ""
    failed_version: Annotated[
        str,
        doc(
            "The package version that failed. It is not tried again until the spec names another one, or says that this"
            " one shall be (`spec.upgradePolicy.attempt`).",
            maxLength=63,
        ),
    ] = ""
    failed_overrides: Annotated[
        str, doc("A digest of the overrides that it failed with; empty when there were none.", maxLength=63)
    ] = ""
    failed_attempt: Annotated[int, doc("The attempt that it failed in.", minimum=0)] = 0
    failure: Annotated[str, doc("Why it failed.", maxLength=1024)] = ""


class ClusterRollbackStatus(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True, kw_only=True):
    """Whether the cluster can go to an older package version, with its data."""

    package_version: Annotated[str, doc("The older package version.", maxLength=63)]
    possible: Annotated[bool, doc("Whether the cluster can go there now.")]
    keeps_data: Annotated[
        bool, doc("Whether everything that is stored now is known to the older version, so that nothing is lost there.")
    ] = False
    reason: Annotated[str, doc("Until when or until what, or why not.", maxLength=512)] = ""


class ClusterEmulationStatus(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True, kw_only=True):
    """The masters are of a newer minor version than the one that they serve, or were before `endedAt`."""

    version: Annotated[str, doc("The minor version that is served and stored, such as 1.34.", maxLength=31)]
    since: Annotated[datetime, doc("When all masters were of the newer package version.")]
    left_at: Annotated[
        datetime | None,
        doc("When the first API server left it. What was stored since may be more than the older version knows."),
    ] = None
    ended_at: Annotated[datetime | None, doc("When all masters served their own version.")] = None
    snapshot: Annotated[
        str,
        doc("The snapshot from before the first master was of the newer version; empty: there is none.", maxLength=253),
    ] = ""
    failure: Annotated[
        str, doc("Why it could not be ended; tried again once `finishEmulation` was Manual.", maxLength=1024)
    ] = ""
