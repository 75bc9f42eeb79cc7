"""Whether a snapshot fits the masters that are to run on its data: by their versions, and by their key. Pure.

Data goes with the version that wrote it or with the next minor one, as in an upgrade: an older API server cannot read
what a newer one stored, and a jump over a minor version skips migrations of stored objects.
"""

from __future__ import annotations

from collections.abc import Mapping

from homeostat.api.cluster.components import PackageComponent
from homeostat.api.cluster.masters import API_SERVER, ETCD
from homeostat.operators.cluster.backup.manifest import Manifest

_MOST_MINORS = 1


def refusal(manifest: Manifest, made_of: Mapping[str, PackageComponent]) -> str:
    """Why masters made of these components must not run on the data of a snapshot; empty: they may."""
    pairs = (
        ("Kubernetes", manifest.kubernetes_version, made_of[API_SERVER].version),
        ("etcd", manifest.etcd_version, made_of[ETCD].version),
    )
    return next((why for pair in pairs if (why := _refusal(*pair))), "")


def unreadable(manifest: Manifest, keys: tuple[str, ...], remedy: str) -> str:
    """Why masters that know these keys could not read all Secrets of a snapshot; empty: they can."""
    if all(key in keys for key in manifest.secrets_keys):
        return ""
    wanted = " and the key ".join(manifest.secrets_keys)
    found = f"the key is {' or '.join(keys)}" if keys else "there is no such key"
    return f"its Secrets are encrypted with the key {wanted}, and {found} here; {remedy}"


def _refusal(what: str, written: str, running: str) -> str:
    then, now = _minor(written), _minor(running)
    if then is None or now is None:
        return f"expected versions of {what} such as 1.35.4, found {written!r} in the snapshot and {running!r}"
    story = f"its data was written by {what} {written}, and the package version has {running}"
    remedy = f"declare a package version with {what} {then[0]}.{then[1]}"
    if then[0] != now[0] or then[1] > now[1]:
        return f"{story}, which is older and cannot read it; {remedy}"
    if now[1] - then[1] > _MOST_MINORS:
        return f"{story}, more than one minor version later; {remedy}, and upgrade from there"
    return ""


def _minor(version: str) -> tuple[int, int] | None:
    parts = version.removeprefix("v").split(".")
    return (int(parts[0]), int(parts[1])) if len(parts) > 1 and parts[0].isdigit() and parts[1].isdigit() else None
