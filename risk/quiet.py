"""Stretches of time in which no input changes: how long one lasts, and its samples in closed form.

Behind a grid point that changed nothing, the next ones change nothing either while the same
constituents stay fresh, no funding or hour falls due, and every mark stays: the mark is the median
of three of which only the part of the last funding that is still ahead (P1) moves with time, and
that in one direction, so a mark that is the same at both ends was so all along. What remains are
premium samples, all alike, and basis samples that replace their equals (P7, P8).
"""

from __future__ import annotations

from collections.abc import Mapping

from matching.book import Book
from risk.ledger import CONVERSION, FIRST_ACCOUNT, LIQUIDATION
from risk.parameters import HOUR_MS
from risk.state import RiskState

LastTrades = Mapping[str, tuple[int, int]]


def quiet_until(
    state: RiskState, books: Mapping[str, Book], last_trade: LastTrades, latest_ms: int
) -> int:
    """The last grid point, at most `latest_ms`, to which nothing changes; `state.time_ms` if none.

    It stands on a grid point that changed nothing and left nothing pending.
    O(contracts x log points).
    """
    now_ms, grid_ms = state.time_ms, state.venue.grid_ms
    latest_ms = min(latest_ms, _before(state, now_ms // HOUR_MS * HOUR_MS + HOUR_MS))
    for index in state.indexes.values():
        latest_ms = min(latest_ms, index.steady_until(now_ms, latest_ms))
    for perp in state.marks.values():
        latest_ms = min(latest_ms, _before(state, perp.next_funding_ms))
    if not _samples_repeat(state, books):
        sample_ms = state.venue.sample_ms
        latest_ms = min(latest_ms, _before(state, now_ms // sample_ms * sample_ms + sample_ms))
    quiet, beyond = 0, max(0, latest_ms - now_ms) // grid_ms + 1  # Points; the marks hold to one.
    while beyond - quiet > 1:
        middle = (quiet + beyond) // 2
        if _marks_stay(state, books, last_trade, now_ms + middle * grid_ms):
            quiet = middle
        else:
            beyond = middle
    return now_ms + quiet * grid_ms


def _before(state: RiskState, moment_ms: int) -> int:
    """The last grid point before a moment."""
    grid_ms = state.venue.grid_ms
    return (moment_ms - 1) // grid_ms * grid_ms


def _marks_stay(
    state: RiskState, books: Mapping[str, Book], last_trade: LastTrades, now_ms: int
) -> bool:
    for symbol, perp in state.marks.items():
        index = state.indexes[perp.index_symbol]
        if not index.fresh or index.index_e8 is None:
            continue  # Frozen: it stands anyway.
        last = last_trade.get(symbol)
        mark_e8 = perp.mark_at(now_ms, index.index_e8, books[symbol], last[0] if last else None)
        if (index.index_e8, mark_e8) != (perp.index_e8, perp.mark_e8):
            return False
    return True


def _samples_repeat(state: RiskState, books: Mapping[str, Book]) -> bool:
    """Whether a sample point changes nothing but counts: the house idle, every basis its own."""
    for account_id, house in state.accounts.items():
        if account_id >= FIRST_ACCOUNT:
            break
        holds = account_id in (CONVERSION, LIQUIDATION) and any(
            each.minor for each in house.pockets.values()
        )
        if house.positions or house.loans or holds:
            return False
    return all(
        not state.indexes[perp.index_symbol].fresh or perp.basis_repeats(books[symbol])
        for symbol, perp in state.marks.items()
    )


def fold(state: RiskState, books: Mapping[str, Book], until_ms: int) -> None:
    """Bring the samples to a quiet stretch's last grid point, and the time. O(contracts)."""
    sample_ms = state.venue.sample_ms
    times = until_ms // sample_ms - state.time_ms // sample_ms
    if times:
        for symbol, perp in state.marks.items():
            if state.indexes[perp.index_symbol].fresh:
                perp.sample(books[symbol], times)
    state.time_ms = until_ms
