"""Position sides as orders and settings name them on the wire, and as commands number them."""

from __future__ import annotations

from typing import Final

from risk.account import LONG, ONE_WAY, SHORT

_NUMBERS: Final = {None: ONE_WAY, "long": LONG, "short": SHORT}


def side_number(name: str | None) -> int:
    """A position side as a command carries it; where none is named, it is of the net position."""
    return _NUMBERS[name]
