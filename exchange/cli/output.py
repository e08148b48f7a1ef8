"""How commands speak: tables for people, one JSON object for machines, complaints on stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any, Final, TextIO

import msgspec

GREEN: Final = "32"
RED: Final = "31"
BOLD: Final = "1"
DIM: Final = "2"


class Failure(Exception):
    """The command could not do its work; the text says why and what to do. Exit code 1."""


class UsageError(Exception):
    """The command was used wrongly; the text says how to use it. Exit code 2."""


def complain(text: str) -> None:
    """Say on stderr what went wrong."""
    print(f"papertape: {plain(text)}", file=sys.stderr)


def plain(text: str) -> str:
    """The text without what would command a terminal: labels may be anybody's."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def print_json(said: Any) -> None:
    """One JSON object, on one line."""
    print(msgspec.json.encode(said).decode())


def painted(text: str, colour: str, stream: TextIO | None = None) -> str:
    """The text in a colour, where it goes to a terminal that wants colours."""
    stream = sys.stdout if stream is None else stream
    if not stream.isatty() or "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb":
        return text
    return f"\x1b[{colour}m{text}\x1b[0m"


def table(head: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """Aligned columns: the first `left` to the left, the others, which are numbers, right."""
    lines = [list(head), *([plain(cell) for cell in row] for row in rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(head))]
    drawn = []
    for number, line in enumerate(lines):
        cells = [
            cell.ljust(width) if at < left else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        text = "  ".join(cells).rstrip()
        drawn.append(painted(text, DIM) if number == 0 else text)
    return "\n".join(drawn)


def dash(value: str | None) -> str:
    """A value, or a dash where there is none."""
    return "-" if value is None or value == "" else value
