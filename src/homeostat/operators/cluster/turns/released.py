"""What people say of a rotation that is under way: that the old keys may go, or that it shall be taken back. Pure."""

from __future__ import annotations

from homeostat.api.cluster.certificates import ClusterRotationStatus
from homeostat.api.cluster.v1alpha1 import Cluster
from homeostat.operators.cluster.pki import states


def is_released(cluster: Cluster, going: ClusterRotationStatus) -> bool:
    """Whether nobody needs the old keys any more."""
    return cluster.spec.keys.released.of(going.keys) >= going.number


def is_taken_back(cluster: Cluster, going: ClusterRotationStatus) -> bool:
    """Whether the spec no longer asks for the rotation that is under way."""
    return cluster.spec.keys.rotations.of(going.keys) != going.number


def is_left_to_people(cluster: Cluster, going: ClusterRotationStatus) -> bool:
    """Whether nothing happens before they say either. The old encryption key needs no release."""
    is_holding = going.stage == states.HOLDING and going.keys != states.ENCRYPTION_KEY
    return is_holding and not is_released(cluster, going) and not is_taken_back(cluster, going)
