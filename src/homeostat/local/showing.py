"""Two ways to show steps: a live table on a terminal, and plain lines in logs and pipes.

Both are written to stderr by their callers, so that stdout stays for results. A terminal sees running steps with their
seconds counting; a log sees one line at the start of something slow and one at its end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from homeostat.kit.clock import Clock
from homeostat.local.steps import View

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


class PlainView:
    """One line per event, with the seconds since the start."""

    def __init__(self, out: TextIO, clock: Clock) -> None:
        self._out, self._clock, self._began = out, clock, clock.monotonic()
        self._last: dict[str, str] = {}

    def started(self, name: str) -> None:
        """Nothing: quick steps deserve one line only."""

    def progress(self, name: str, text: str) -> None:
        """A line when the text is new."""
        if self._last.get(name) != text:
            self._last[name] = text
            self._line(f"   {name}: {text}")

    def finished(self, name: str, took_s: float) -> None:
        """A line with the time it took."""
        self._line(f"ok {name} ({took_s:.1f} s)")

    def failed(self, name: str, took_s: float, why: str) -> None:
        """A line with the reason."""
        self._line(f"!! {name} failed after {took_s:.1f} s: {why}")

    def _line(self, text: str) -> None:
        self._out.write(f"{self._clock.monotonic() - self._began:7.1f} s  {text}\n")
        self._out.flush()


class Recorded:
    """Passes all on to another view and keeps plain lines in a log as well."""

    def __init__(self, *views: View) -> None:
        self._views = views

    def started(self, name: str) -> None:
        """Tell all."""
        for view in self._views:
            view.started(name)

    def progress(self, name: str, text: str) -> None:
        """Tell all."""
        for view in self._views:
            view.progress(name, text)

    def finished(self, name: str, took_s: float) -> None:
        """Tell all."""
        for view in self._views:
            view.finished(name, took_s)

    def failed(self, name: str, took_s: float, why: str) -> None:
        """Tell all."""
        for view in self._views:
            view.failed(name, took_s, why)


class LiveView:
    """A table that stays in place: finished steps with times, running ones with a counter and their last word."""

    def __init__(self, console: Console, clock: Clock) -> None:
        from rich.live import Live  # here, so that commands that show no steps do not pay for it

        self._clock = clock
        self._running: dict[str, tuple[float, str]] = {}
        self._console = console
        self._live = Live(console=console, get_renderable=self._table, refresh_per_second=4, transient=True)

    def __enter__(self) -> LiveView:
        """Start drawing."""
        self._live.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop drawing; lines of finished steps stay."""
        self._live.__exit__(None, None, None)

    def started(self, name: str) -> None:
        """Show it with a counter."""
        self._running[name] = (self._clock.monotonic(), "")

    def progress(self, name: str, text: str) -> None:
        """Show its last word."""
        if name in self._running:
            self._running[name] = (self._running[name][0], text)

    def finished(self, name: str, took_s: float) -> None:
        """Leave one line above the table."""
        self._running.pop(name, None)
        self._console.print(f"[green]✓[/green] {name} [dim]{took_s:.1f} s[/dim]", highlight=False)

    def failed(self, name: str, took_s: float, why: str) -> None:
        """Leave one line above the table, with the beginning of the reason."""
        self._running.pop(name, None)
        self._console.print(f"[red]✗[/red] {name} [dim]{took_s:.1f} s: {why[:60]!r}[/dim]", highlight=False)

    def _table(self) -> Table:
        from rich.table import Table

        table = Table.grid(padding=(0, 1))
        now = self._clock.monotonic()
        for name, (since, text) in self._running.items():
            table.add_row("[yellow]·[/yellow]", name, f"{now - since:.0f} s", f"[dim]{text[-90:]}[/dim]")
        return table
