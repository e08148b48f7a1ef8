"""Pages of an account's history: which rows are asked for, and how a page of them is told."""

from __future__ import annotations

from typing import Any, Final

from exchange.gateway.binance.calls import Call
from exchange.gateway.binance.errors import BAD_VALUE, refused
from exchange.storage.queries import ROWS_MAX, Part

SIZE: Final = 10
SIZE_MAX: Final = 100


def span(call: Call) -> Part:
    """The rows between `startTime` and `endTime`, both of exchange time and within."""
    return Part(
        from_ms=call.params.integer("startTime"),
        to_ms=call.params.integer("endTime"),
        limit=ROWS_MAX,
    )


def page(call: Call, rows: list[Any]) -> dict[str, Any]:
    """The page `current` of rows that are told oldest first: {total, rows}, newest first.

    A page has `size` rows, at most 100; -1130 for pages and sizes below one.
    """
    current, size = _positive(call, "current", 1), _positive(call, "size", SIZE)
    size = min(size, SIZE_MAX)
    newest = rows[::-1]
    return {"total": len(rows), "rows": newest[(current - 1) * size : current * size]}


def _positive(call: Call, name: str, default: int) -> int:
    number = call.params.integer(name, default)
    assert number is not None, "there is a default"
    if number < 1:
        raise refused(BAD_VALUE, name)
    return number
