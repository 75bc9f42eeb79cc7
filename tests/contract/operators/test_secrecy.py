"""Private keys reach Secrets and nothing else: not a log, an Event, a status, nor any other object."""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import timedelta

import pytest
from tests.support.cells import Cell
from tests.support.kubelet import KINDS, Whole
from tests.support.secrecy import private

from homeostat.kit.pki.authority import LEAF_LIFE


def is_mended(secret: Whole, broken: Whole) -> bool:
    """Whether a Secret was written after it was broken."""
    is_later = int(secret["metadata"]["resourceVersion"]) > int(broken["metadata"]["resourceVersion"])
    return is_later and bool(secret["data"]["serving.key"] != broken["data"]["serving.key"])


async def test_no_key_leaves_its_secret_while_a_cluster_is_made_renewed_and_rotated(
    cell: Cell, capsys: pytest.CaptureFixture[str]
) -> None:
    keys: set[str] = set()

    def noted() -> bool:
        """Remember every version of every Secret that shows."""
        keys.update(piece for secret in cell.all("Secret") for piece in private(secret))
        return True

    def stage() -> str:
        return str(cell.status().get("rotation", {}).get("stage", ""))

    async with cell.operator(haste=20):
        await cell.declare()
        await cell.kubelet.until(lambda: noted() and cell.condition("Ready").get("status") == "True", "it is made")
        await cell.set_spec(keys={"rotations": {"authorities": 1}})
        await cell.kubelet.until(lambda: noted() and stage() == "Holding", "new authorities are in use", within_s=60)
        asked = {"authorities": 0, "encryptionKey": 1, "tokenKey": 1}
        await cell.set_spec(keys={"rotations": asked, "released": {"tokenKey": 1}})
        await cell.kubelet.until(
            lambda: noted() and cell.status().get("rotations", {}) == {"encryptionKey": 1, "tokenKey": 1},
            "they are taken back, and all other keys are new",
            within_s=60,
        )
        # What somebody breaks is told with its place, and never with its content.
        garbage = b64encode(b"-----BEGIN EC PRIVATE KEY-----\nTm90aGluZw==\n").decode()
        change = {"data": {"serving.key": garbage}}
        done = await cell.client.merge_patch(KINDS["Secret"], "demo-apiserver", change, cell.namespace)
        await cell.kubelet.until(
            lambda: noted() and is_mended(cell.get("Secret", "demo-apiserver"), done), "it is mended"
        )
    async with cell.operator(ahead=LEAF_LIFE - timedelta(days=1)):
        await cell.kubelet.until(
            lambda: noted() and any(each["reason"] == "Renewed" for each in cell.all("Event")), "it is renewed"
        )
    told = capsys.readouterr()
    shown = [told.out, told.err, *(json.dumps(cell.all(kind)) for kind in KINDS if kind != "Secret")]
    assert len(keys) > 60
    assert "controllers" in told.out
    assert [piece for piece in keys for text in shown if piece in text] == []
