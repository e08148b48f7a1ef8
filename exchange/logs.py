"""The log: one line of key=value pairs an event, to stderr."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Final, TextIO

# Only these need no quotes around them.
_PLAIN: Final = frozenset(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:/-+%@,()[]"
)


class KeyValueFormatter(logging.Formatter):
    """`time=... level=... logger=... msg="..."`, and the traceback behind it where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line; only a traceback takes more."""
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        pairs = {
            "time": moment.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "msg": record.getMessage(),
        }
        line = " ".join(f"{key}={quoted(value)}" for key, value in pairs.items())
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line


def quoted(value: str) -> str:
    """The value as it is, or in quotes where a reader could mistake its end."""
    if value and _PLAIN.issuperset(value):
        return value
    return json.dumps(value, ensure_ascii=False)


# What these say of every connection is nobody's news.
_QUIET: Final = ("picows",)


def configure(level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Send the whole program's log to `stream`, stderr unless told otherwise."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(KeyValueFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
