"""Log lines: one event each, with the id of the call they belong to; never a number, a name or a word of a caller."""

from __future__ import annotations

import io
import logging
import sys
from contextlib import suppress
from typing import TextIO, cast

import structlog
from structlog.typing import Processor

_QUIET = ("panoramisk", "psycopg", "psycopg.pool", "aiohttp", "asyncio", "bm25s")
"""Libraries that say at INFO what we say ourselves, or that quote what they send."""


class _Lossy(io.TextIOBase):
    """A stream that loses what cannot be written, as on a full disk: a log line must not cost a caller the call."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write if possible."""
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush if possible."""
        with suppress(OSError):
            self._stream.flush()


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
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", _Lossy(sys.stderr))),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processor=renderer, foreign_pre_chain=shared))
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.ERROR)
