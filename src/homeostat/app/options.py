"""What a process can be told at its start: one frozen value for each process."""

from __future__ import annotations

from msgspec import Struct


class CellOptions(Struct, frozen=True, kw_only=True):
    """Options of `homeostat run cell`."""

    kubeconfig: str = ""  # empty: as kubectl, then the Pod's service account
    context: str = ""  # empty: the current one
    namespaces: tuple[str, ...] = ()  # empty: all
    workers: int = 8  # clusters worked on at once
    max_creating: int = 10  # clusters of the cell that are being created at once; the others wait in line
    max_rolling: int = 5  # clusters of the cell whose masters move to another package version at once
    leader_election: bool = True  # off for a single process on a workstation
    leader_election_namespace: str = "homeostat-system"  # where the Lease stands
    health_host: str = "0.0.0.0"  # noqa: S104  (probes and scrapers come from outside the Pod)
    health_port: int = 8080  # 0: no health and metrics server
    snapshot_store: str = ""  # an address such as file:///snapshots; empty: no snapshots are taken
    snapshot_keys: str = ""  # the directory of the key ring, as a mounted Secret is
    snapshot_scratch: str = ""  # where a snapshot lies on its way; empty: the system's directory for such files
    image: str = ""  # homeostat's own, for the Pods that restore members; empty: nothing is restored
    handout_address: str = ""  # where these Pods reach this process; empty: the address of this host's name
    handout_port: int = 9444
    webhook_service: str = ""  # namespace/name of the Service in front of all replicas; empty: no webhooks
    webhook_host: str = "0.0.0.0"  # noqa: S104  (API servers come from outside the Pod)
    webhook_port: int = 9443
    log_format: str = "json"  # json or console
    log_level: str = "info"
