"""Logging: structlog over the standard library, one line an event, secrets blotted out.

Owns the format and the redaction; refuses to know what is logged.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

TOKEN_SHAPE = re.compile(r"[\w-]{23,28}\.[\w-]{6,7}\.[\w-]{27,}")
"""What a Discord bot token looks like."""


def redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """structlog processor: replace everything that looks like a bot token."""
    for key, value in event.items():
        if isinstance(value, str) and "." in value:
            event[key] = TOKEN_SHAPE.sub("[token]", value)
    return event


def set_up_logging(*, verbose: bool = False) -> None:
    """Send structlog's and the standard library's events to stderr: warnings and our own news, or all when `verbose`."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False),
        structlog.processors.format_exc_info,
        redact,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.DEBUG if verbose else logging.WARNING)
    for name in ("bot", "inference", "storage"):
        logging.getLogger(name).setLevel(logging.DEBUG if verbose else logging.INFO)
