"""What the Pod of a restore does with the volume of one member, before and after etcdutl: fetch, and exchange the data.

    data                the member's data, as etcd has it
    restored            what etcdutl made of the snapshot, until it takes the place of `data`
    data.before-NAME    what was there before the restore of that name; only a person removes it
    restore             the name of the restore, and whether its data is being placed or was

Everything is safe to repeat. Data that no step of this very restore has put there is moved aside or refused, as told,
and never deleted; data that a run of it has put there, and etcd has not touched yet, is put there again.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import shutil
import ssl
from pathlib import Path
from urllib.parse import urlsplit

from homeostat.providers.snapshots.local_file import sync_directory

DATA, RESTORED, MARK = "data", "restored", "restore"
_PLACING, _PLACED = "placing", "placed"
_PART_BYTES = 1 << 20
_SILENCE_S = 60.0  # no byte for so long: try anew


class MemberNotRestored(Exception):
    """A step failed; the message says which, and what was found."""


def fetch(offer: Path, target: Path, data: Path) -> None:
    """Get the snapshot that a mounted Secret tells of, and compare its checksum. Raises MemberNotRestored.

    What an earlier try has half restored goes first: etcdutl writes only where nothing is.
    """
    shutil.rmtree(data / RESTORED, ignore_errors=True)
    url, token, wanted = ((offer / name).read_text().strip() for name in ("url", "token", "sha256"))
    where = urlsplit(url)
    context = ssl.create_default_context(cafile=str(offer / "ca.crt"))
    connection = http.client.HTTPSConnection(where.netloc, timeout=_SILENCE_S, context=context)
    try:
        connection.request("GET", where.path, headers={"Authorization": f"Bearer {token}"})
        response = connection.getresponse()
        if response.status != http.client.OK:
            raise MemberNotRestored(f"fetching the snapshot from {where.netloc}: HTTP {response.status}")
        found = _write(response, target)
    except (OSError, http.client.HTTPException) as error:
        raise MemberNotRestored(f"fetching the snapshot from {where.netloc}: {error}") from error
    finally:
        connection.close()
    if found != wanted:
        raise MemberNotRestored(f"fetching the snapshot: expected the SHA-256 {wanted}, found {found}")


def place(data: Path, restore: str, *, may_move_aside: bool) -> None:
    """Let the restored data take the place of what is there. Raises MemberNotRestored."""
    live, restored, mark = data / DATA, data / RESTORED, data / MARK
    state = mark.read_text().split() if mark.exists() else []
    if state == [restore, _PLACED]:
        shutil.rmtree(restored, ignore_errors=True)
        return
    if not restored.is_dir():
        raise MemberNotRestored(f"placing the data: {restored} is not there")
    if live.exists() and state == [restore, _PLACING]:
        shutil.rmtree(live)  # a run that was cut off has put it there
    elif live.exists() and not may_move_aside:
        raise MemberNotRestored(f"placing the data: {live} is there already, and a new cluster must begin without data")
    elif live.exists():
        _move_aside(live, data / f"{DATA}.before-{restore}")
    _mark(mark, f"{restore} {_PLACING}")
    restored.rename(live)
    sync_directory(data)
    _mark(mark, f"{restore} {_PLACED}")


def _move_aside(live: Path, aside: Path) -> None:
    if aside.exists():
        raise MemberNotRestored(f"placing the data: {aside} is there already; somebody has put {live} back")
    live.rename(aside)
    sync_directory(live.parent)


def _mark(mark: Path, text: str) -> None:
    partial = mark.with_name(f".{mark.name}.partial")
    with partial.open("w") as file:
        file.write(f"{text}\n")
        file.flush()
        os.fsync(file.fileno())
    partial.replace(mark)
    sync_directory(mark.parent)


def _write(response: http.client.HTTPResponse, target: Path) -> str:
    """Write what comes into a file; its SHA-256."""
    digest = hashlib.sha256()
    with target.open("wb") as file:
        while part := response.read(_PART_BYTES):
            digest.update(part)
            file.write(part)
    return digest.hexdigest()
