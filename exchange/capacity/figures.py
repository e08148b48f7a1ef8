"""What was measured and what is assumed, read from a file that says where each number is from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

# Every figure the arithmetic needs, with its unit.
MEASURED: Final = {
    "engine_interpreted_us": "us of a core a command",
    "engine_us": "us of a core a command",
    "replica_us": "us of a core a command",
    "intake_us": "us of a core a command",
    "edge_us": "us of a core an order",
    "delivery_us": "us of a core a message",
    "redis_us": "us of a core a command",
    "core_group_us": "us of a core a group",
    "gateway_group_us": "us of a core a group",
    "redis_group_us": "us of a core a group",
    "sync_ms": "ms a group",
    "append_ms": "ms a group",
    "hop_ms": "ms a batch",
    "market_share": "of a core",
    "market_bytes_day": "bytes a day",
    "process_bytes": "bytes a process",
    "account_bytes": "bytes an account",
    "order_bytes": "bytes an order",
    "session_bytes": "bytes a connection",
    "command_bytes": "bytes a command",
    "history_bytes": "bytes a command",
    "delivery_bytes": "bytes a message",
}
ASSUMED: Final = {
    "busy": "of a core",
    "bunch": "commands",
    "class_hours_day": "hours a day",
    "class_students": "students",
    "class_bots": "bots a student",
    "class_bot_orders": "orders a second",
    "class_heard": "messages a second and connection",
    "class_resting": "orders an account",
    "public_peak_orders": "orders a second",
    "public_day_orders": "orders a day",
    "public_claimed_orders": "orders a second",
    "public_account_orders": "orders a second",
}


class BadFigures(ValueError):
    """The file of figures is not what it should be; the text says in what way."""


class Figure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A number, what it says, and where it comes from: a command, or a source."""

    value: float
    says: str
    source: str


class Figures(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file: what was measured, on one machine, and what is assumed."""

    machine: str
    measured: dict[str, Figure]
    assumed: dict[str, Figure]

    def __getitem__(self, name: str) -> float:
        """The value of a figure or an assumption."""
        figures = self.measured if name in MEASURED else self.assumed
        return figures[name].value

    def but(self, changes: Mapping[str, float]) -> Figures:
        """The same with other values; BadFigures for a name there is none of."""
        unknown = changes.keys() - MEASURED.keys() - ASSUMED.keys()
        if unknown:
            raise BadFigures(f"there is no figure {', '.join(sorted(unknown))}")
        changed = [
            {
                name: msgspec.structs.replace(figure, value=changes.get(name, figure.value))
                for name, figure in figures.items()
            }
            for figures in (self.measured, self.assumed)
        ]
        return _checked(Figures(self.machine, *changed), "with these changes")


def read_figures(file: Path) -> Figures:
    """The figures of a file; BadFigures says what is wrong with it."""
    try:
        return _checked(msgspec.json.decode(file.read_bytes(), type=Figures), str(file))
    except OSError as error:
        raise BadFigures(f"{file}: {error.strerror}") from error
    except msgspec.MsgspecError as error:
        raise BadFigures(f"{file}: {error}") from error


def _checked(figures: Figures, where: str) -> Figures:
    for found, wanted in ((figures.measured, MEASURED), (figures.assumed, ASSUMED)):
        if found.keys() != wanted.keys():
            names = ", ".join(sorted(found.keys() ^ wanted.keys()))
            raise BadFigures(f"{where}: lacking, or unknown: {names}")
        for name, figure in found.items():
            if not figure.value > 0:
                raise BadFigures(f"{where}: {name} must be more than nothing")
    if figures["busy"] >= 1:
        raise BadFigures(f"{where}: busy is a share of a core, below 1")
    return figures
