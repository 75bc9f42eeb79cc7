"""The contender's side of the conversation: a thread that hears words on stdin and answers with figures on stdout."""

from __future__ import annotations

import ctypes
import gc
import json
import resource
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass
class Figures:
    """What a contender counts; the words are those of benchmarks.contender.Stats."""

    objects: int = 0
    events: int = 0
    reconciles: int = 0
    writes: int = 0
    errors: int = 0
    synced: bool = False


class Conversation:
    """Answers the orchestrator, and holds what it asked for."""

    def __init__(self, figures: Figures) -> None:
        self.figures = figures
        self.reconciling = False
        self.started = threading.Event()

    def begin(self, on_start: Callable[[], None] | None = None) -> None:
        """Say that the program is loaded, and listen from now on."""
        threading.Thread(target=self._listen, args=(on_start,), daemon=True).start()
        self._say({"ready": True})

    def _listen(self, on_start: Callable[[], None] | None) -> None:
        for line in sys.stdin:
            match line.strip():
                case "start":
                    self.started.set()
                    if on_start is not None:
                        on_start()
                    self._say({"ok": True})
                case "reconcile":
                    self.reconciling = True
                    self._say({"ok": True})
                case "settle":
                    gc.collect()
                    ctypes.CDLL(None).malloc_trim(0)
                    self._say({"ok": True})
                case "stats":
                    self._say(self._stats())

    def _stats(self) -> dict[str, object]:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return {
            **asdict(self.figures),
            "cpu_s": usage.ru_utime + usage.ru_stime,
            "rss_mb": pages * resource.getpagesize() / 2**20,
            "peak_rss_mb": usage.ru_maxrss / 1024,
        }

    @staticmethod
    def _say(words: dict[str, object]) -> None:
        sys.stdout.write(json.dumps(words) + "\n")
        sys.stdout.flush()
