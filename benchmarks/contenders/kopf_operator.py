"""kopf, as its documentation recommends for speed: no scanning, no event posting, quiet logs, one `on.event` handler.

The status is written through `patch`, which spares kopf its own annotations: the cheapest way it offers.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import kopf

from benchmarks.contenders.protocol import Conversation, Figures
from benchmarks.machines import GROUP, PLURAL, VERSION

figures = Figures()
talk = Conversation(figures)
KUBECONFIG, RUN = sys.argv[1], sys.argv[2]


@kopf.on.startup()
def configure(settings: kopf.OperatorSettings, **_: Any) -> None:
    """Turn off what is not measured."""
    settings.scanning.disabled = True
    settings.posting.enabled = False


@kopf.on.login()
def login(**_: Any) -> kopf.ConnectionInfo:
    """Read the benchmark's kubeconfig."""
    config = json.loads(Path(KUBECONFIG).read_text())
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    return kopf.ConnectionInfo(
        server=cluster["server"],
        ca_path=cluster["certificate-authority"],
        certificate_path=user["client-certificate"],
        private_key_path=user["client-key"],
    )


@kopf.on.event(GROUP, VERSION, PLURAL)
async def reconcile(
    type: str | None,  # noqa: A002  (kopf passes arguments by name)
    meta: kopf.Meta,
    status: kopf.Status,
    patch: kopf.Patch,
    **_: Any,
) -> None:
    """Count, and write the status where it is behind."""
    if type is None:
        figures.objects += 1
    else:
        figures.events += 1
    figures.reconciles += 1
    if not talk.reconciling:
        return
    generation = meta["generation"]
    if status.get("observedGeneration") == generation and status.get("observedBy") == RUN:
        return
    patch.status["observedGeneration"] = generation
    patch.status["observedBy"] = RUN
    patch.status["conditions"] = [
        {
            "type": "Ready",
            "status": "True",
            "reason": "Observed",
            "message": f"observed by {RUN}",
            "observedGeneration": generation,
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        }
    ]
    figures.writes += 1


async def main() -> None:
    """Wait for the word, then be an operator."""
    kopf.configure(verbose=False, quiet=True)
    loop = asyncio.get_running_loop()
    go = asyncio.Event()

    def start() -> None:
        loop.call_soon_threadsafe(go.set)

    talk.begin(start)
    await go.wait()
    await kopf.operator(clusterwide=True, standalone=True)


if __name__ == "__main__":
    asyncio.run(main())
