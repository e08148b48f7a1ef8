"""Catching up over quiet stretches: grid points at which nothing can happen are passed at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from risk.quiet import fold, quiet_until

if TYPE_CHECKING:
    from exchange.engine import Engine


def pass_quiet(engine: Engine) -> None:
    """Behind a grid point that told nothing: go on to the last one at which nothing changes.

    The result is that of running each of them, to the bit. O(books + contracts x log points).
    """
    risk, trading, grid_ms = engine.risk, engine.trading, engine.venue.grid_ms
    left_ms = engine.time_ms - engine.next_grid_ms
    if left_ms < 0 or not risk.is_still or trading.fired or trading.auctions:
        return
    until_ms = engine.next_grid_ms + left_ms // grid_ms * grid_ms
    expiries_ms = [book.next_expiry_ms for book in trading.books.values()]
    expiries_ms += [asleep.next_expiry_ms for asleep in trading.triggers.values()]
    for expiry_ms in filter(None, expiries_ms):
        until_ms = min(until_ms, (expiry_ms - 1) // grid_ms * grid_ms)
    until_ms = quiet_until(risk, trading.books, trading.last_trade, until_ms)
    if until_ms >= engine.next_grid_ms:
        fold(risk, trading.books, until_ms)
        engine.next_grid_ms = until_ms + grid_ms
