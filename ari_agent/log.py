"""Log lines: one event each, with the id of the call they belong to; never a number, a name or a word of a caller."""

from __future__ import annotations

import logging
import sys

import structlog
from structlog.typing import Processor

_QUIET = ("panoramisk", "psycopg", "psycopg.pool", "aiohttp", "asyncio", "bm25s")
"""Libraries that say at INFO what we say ourselves, or that quote what they send."""


def configure(*, as_json: bool = False, debug: bool = False, quiet: bool = False) -> None:
    """Send log lines to stderr, for people or as JSON; `quiet` leaves warnings and errors."""
    level = logging.DEBUG if debug else logging.WARNING if quiet else logging.INFO
    renderer: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if as_json
        # The default shows the values of local variables: callers' numbers and words, and our passwords.
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    tracebacks: list[Processor] = [structlog.processors.format_exc_info] if as_json else []
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        *tracebacks,
    ]
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processor=renderer, foreign_pre_chain=shared))
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.ERROR)
