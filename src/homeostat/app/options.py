"""What a process can be told at its start: one frozen value for each process.

Each field holds all that is known of an option: its default, and as a Flag its help, its bounds and its check. The
command line and its reference page are made of them (cli/settings.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Literal

from msgspec import Struct

from homeostat.telemetry.logs import LogFormat

_LABEL = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"


class Flag(Struct, frozen=True):
    """How a field is told on the command line."""

    help: str
    metavar: str = ""
    least: int | None = None
    most: int | None = None
    environment: str = ""  # the variable that tells it too
    check: Callable[[str], None] | None = None  # raises ValueError, saying what was expected and what was found


def _address(value: str) -> None:
    """Whether a store can be there at all."""
    from homeostat.providers.snapshots.address import read_address  # here: most commands need none of it

    read_address(value)


def _service(value: str) -> None:
    if not re.fullmatch(f"{_LABEL}/{_LABEL}", value):
        raise ValueError(f"expected NAMESPACE/NAME such as homeostat-system/homeostat-webhooks, found {value!r}")


class CellOptions(Struct, frozen=True, kw_only=True):
    """Options of `homeostat run cell`."""

    kubeconfig: str = ""  # empty: as kubectl, then the Pod's service account
    context: str = ""  # empty: the current one
    namespaces: Annotated[tuple[str, ...], Flag("Only Clusters of this namespace; may be repeated.", "NAME")] = ()
    workers: Annotated[int, Flag("How many Clusters to work on at once.", least=1, most=256)] = 8
    max_creating: Annotated[
        int,
        Flag(
            "How many Clusters of the cell may be in creation at once; the others wait in line, the oldest first. Many "
            "starts at once make each so slow that its masters are started again.",
            least=1,
        ),
    ] = 10
    max_rolling: Annotated[
        int,
        Flag(
            "Of how many Clusters of the cell masters that are well may be made anew at once, whatever for: another "
            "package version, overrides, topology, keys, level of the audit log, certificates. Each has fewer masters "
            "than declared meanwhile; healing has a budget of its own.",
            least=1,
        ),
    ] = 5
    endpoint_node_ports: Annotated[
        bool,
        Flag(
            "Let Services of endpoints have node ports, of which a cell has 2,768; off where the load balancer of the "
            "cell sends clients to Pods by itself."
        ),
    ] = True
    leader_election: Annotated[bool, Flag("Work only while holding the Lease; off for a single process.")] = True
    leader_election_namespace: Annotated[str, Flag("Where the Lease stands.", "NAME")] = "homeostat-system"
    health_host: Annotated[str, Flag("Where health and metrics are served.")] = "0.0.0.0"  # noqa: S104  (probes come from outside the Pod)
    health_port: Annotated[int, Flag("The port of /livez, /readyz and /metrics; 0 for none.", least=0, most=65535)] = (
        8080
    )
    image: Annotated[
        str,
        Flag(
            "homeostat's own image, for the Pods that restore members from snapshots; left out, nothing is restored.",
            "REFERENCE",
            environment="HOMEOSTAT_IMAGE",
        ),
    ] = ""
    handout_address: Annotated[
        str, Flag("Where those Pods reach this process; left out, the address of this host's name.", "ADDRESS")
    ] = ""
    handout_port: Annotated[int, Flag("The port for that.", least=1, most=65535)] = 9444
    webhook_service: Annotated[
        str,
        Flag(
            "Judge writes of Clusters and package versions before they are stored, reached by this Service; its name "
            "is also that of the Secret with the certificates. Left out, nothing is judged: for a process that the API "
            "server cannot reach.",
            "NAMESPACE/NAME",
            check=_service,
        ),
    ] = ""
    webhook_host: Annotated[str, Flag("Where webhooks are served.")] = "0.0.0.0"  # noqa: S104  (API servers come from outside the Pod)
    webhook_port: Annotated[int, Flag("The port behind the Service of the webhooks.", least=1, most=65535)] = 9443
    snapshot_store: Annotated[
        str,
        Flag(
            "Where snapshots of the clusters' etcd are kept: file:///DIRECTORY, or "
            "s3://BUCKET/PREFIX?endpoint=https://HOST. Left out, none are taken.",
            "ADDRESS",
            environment="HOMEOSTAT_SNAPSHOT_STORE",
            check=_address,
        ),
    ] = ""
    snapshot_keys: Annotated[
        str, Flag("The keys that snapshots are encrypted with, one a file, as a mounted Secret is.", "DIRECTORY")
    ] = "/etc/homeostat/snapshot-keys"
    snapshot_scratch: Annotated[
        str,
        Flag(
            "Where a snapshot lies on its way, for this process alone; left out, where the system keeps such files.",
            "DIRECTORY",
            environment="HOMEOSTAT_SNAPSHOT_SCRATCH",
        ),
    ] = ""
    log_format: Annotated[LogFormat, Flag("How the log is written: an object a line, or in columns for people.")] = (
        "json"
    )
    log_level: Annotated[Literal["debug", "info", "warning", "error"], Flag("The least of what the log tells.")] = (
        "info"
    )


class ClusterOptions(Struct, frozen=True, kw_only=True):
    """Options of `homeostat run cluster`."""

    kubeconfig: str = ""  # of the business cluster; empty: as kubectl
    context: str = ""  # empty: the current one
    leader_election: Annotated[bool, Flag("Work only while holding the Lease; off for a single process.")] = True
    leader_election_namespace: Annotated[str, Flag("Where in the business cluster the Lease stands.", "NAME")] = (
        "kube-system"
    )
    health_host: Annotated[str, Flag("Where health and metrics are served.")] = "0.0.0.0"  # noqa: S104  (probes come from outside the Pod)
    health_port: Annotated[int, Flag("The port of /livez, /readyz and /metrics; 0 for none.", least=0, most=65535)] = (
        8080
    )
    log_format: Annotated[LogFormat, Flag("How the log is written: an object a line, or in columns for people.")] = (
        "json"
    )
    log_level: Annotated[Literal["debug", "info", "warning", "error"], Flag("The least of what the log tells.")] = (
        "info"
    )
