"""Logs for maintainers: constant text, key/values, JSON for machines or columns for people.

The time comes from the given clock, so that a simulation's log is of the simulation's time. Hot paths hold a bound
logger and ask `is_enabled` before they build anything.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, Literal, TextIO, cast

import structlog
from structlog.typing import FilteringBoundLogger, Processor

from homeostat.kit.clock import Clock
from homeostat.telemetry.redaction import redact_event

LogFormat = Literal["json", "console"]
LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def configure(*, clock: Clock, style: LogFormat = "json", level: str = "info", stream: TextIO | None = None) -> None:
    """Set logging up for this process. Raises ValueError for an unknown level."""
    if level not in LEVELS:
        raise ValueError(f"log level: expected one of {', '.join(LEVELS)}, found {level!r}")
    out = stream or sys.stderr

    def stamp(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:  # noqa: ARG001
        event["time"] = clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return event

    renderer: Processor = (
        structlog.processors.JSONRenderer()
        if style == "json"
        else structlog.dev.ConsoleRenderer(colors=out.isatty(), timestamp_key="time")
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            stamp,
            structlog.processors.format_exc_info,
            redact_event,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=False,
    )


def logger(**bound: Any) -> FilteringBoundLogger:
    """A logger with key/values that every line of it carries."""
    return cast(FilteringBoundLogger, structlog.get_logger(**bound))
