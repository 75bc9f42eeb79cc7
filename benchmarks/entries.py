"""Who takes part, and by which command."""

from __future__ import annotations

from pathlib import Path

from benchmarks.contender import ROOT, Entry

OWN = str(ROOT / ".venv" / "bin" / "python")
PEERS = str(ROOT / ".venv-bench" / "bin" / "python")


def on_machines(go: Path) -> list[Entry]:
    """Everyone who lists, watches and reconciles machines. The first is what the others are compared with."""
    contender = str(go / "contender")
    common = ("-config", "{kubeconfig}", "-run", "{run}")
    paged = (("KUBE_FEATURE_WatchListClient", "false"),)
    return [
        Entry("homeostat", (OWN, "-m", "benchmarks.contenders.homeostat_runtime", "machines", "{kubeconfig}", "{run}")),
        Entry("controller-runtime", (contender, *common)),
        Entry("controller-runtime, paged list", (contender, *common), paged),
        Entry("controller-runtime, stripped", (contender, *common, "-strip")),
        Entry("kubernetes", (PEERS, "-m", "benchmarks.contenders.official_client", "{kubeconfig}", "{run}")),
        Entry("kopf", (PEERS, "-m", "benchmarks.contenders.kopf_operator", "{kubeconfig}", "{run}")),
    ]


def with_queues(go: Path) -> list[Entry]:
    """Those that have a work queue whose order can be measured."""
    return [entry for entry in on_machines(go) if entry.name in ("homeostat", "controller-runtime")]


def on_pods(go: Path) -> list[Entry]:
    """Those that can hold 100,000 Pods in this machine's memory."""
    contender = (str(go / "contender"), "-config", "{kubeconfig}", "-kind", "pods")
    return [
        Entry("homeostat", (OWN, "-m", "benchmarks.contenders.homeostat_runtime", "pods", "{kubeconfig}", "{run}")),
        Entry("controller-runtime", contender),
        Entry("controller-runtime, stripped", (*contender, "-strip")),
    ]
