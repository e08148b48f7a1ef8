"""The call auction: the one price at which a collected book trades, and its fills there (S14).

While a book collects, bids and asks may cross. What trades then is found from the levels alone:
between two neighbouring levels demand and supply stand still, so a whole stretch of ticks is
weighed at once. O(levels).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from matching.book import Book
from matching.prevention import losses
from matching.reasons import Reason
from matching.types import NEXT, Fill, Happening, Order, Prevention, SelfTrade, Side

Levels = Sequence[tuple[int, int]]  # (ticks, lots) of a side, best first.


class Uncross(NamedTuple):
    """The price of an auction, what it trades, and what it leaves: demand less supply there."""

    price_ticks: int
    lots: int
    imbalance_lots: int


class _Stretch(NamedTuple):
    """Neighbouring ticks at which the same would trade."""

    first: int
    last: int
    lots: int
    imbalance_lots: int


def uncross_price(bids: Levels, asks: Levels, reference_e8: int, tick_e8: int) -> Uncross | None:
    """The price that trades most; then leaves least; then by who is left over (S14).

    Where only buyers are left over at every candidate it is the highest, where only sellers are
    the lowest, else the one nearest to the reference price, the lower of two.  None where nothing
    crosses.
    """
    if not bids or not asks or bids[0][0] < asks[0][0]:
        return None
    stretches = _stretches(bids, asks)
    most = max(each.lots for each in stretches)
    least = min(abs(each.imbalance_lots) for each in stretches if each.lots == most)
    tied = [each for each in stretches if (each.lots, abs(each.imbalance_lots)) == (most, least)]
    if all(each.imbalance_lots > 0 for each in tied):
        found = tied[-1].last, tied[-1]
    elif all(each.imbalance_lots < 0 for each in tied):
        found = tied[0].first, tied[0]
    else:
        found = min(
            ((_nearest(each, reference_e8, tick_e8), each) for each in tied),
            key=lambda at: (abs(at[0] * tick_e8 - reference_e8), at[0]),
        )
    ticks, stretch = found
    return Uncross(ticks, stretch.lots, stretch.imbalance_lots)


def _stretches(bids: Levels, asks: Levels) -> list[_Stretch]:
    """Every tick from the best ask to the best bid, in stretches, lowest first."""
    lowest, highest = asks[0][0], bids[0][0]
    crossed = [level for level in bids if level[0] >= lowest]
    demand, supply = sum(lots for _, lots in crossed), 0
    falls = {ticks + 1: lots for ticks, lots in crossed}  # Above its price a bid is gone.
    rises = {ticks: lots for ticks, lots in asks if ticks <= highest}
    starts = sorted(ticks for ticks in falls.keys() | rises.keys() if ticks <= highest)
    found: list[_Stretch] = []
    for first, following in zip(starts, [*starts[1:], highest + 1], strict=True):
        demand -= falls.get(first, 0)
        supply += rises.get(first, 0)
        found.append(_Stretch(first, following - 1, min(demand, supply), demand - supply))
    return found


def _nearest(stretch: _Stretch, reference_e8: int, tick_e8: int) -> int:
    """The tick of a stretch that is nearest to a price, the lower of two."""
    below, beyond = divmod(reference_e8, tick_e8)
    ticks = below + (2 * beyond > tick_e8)
    return min(max(ticks, stretch.first), stretch.last)


def crossing(book: Book, price_ticks: int) -> Fill | Prevention | None:
    """Let the first bid and the first ask meet that accept a price; None once there are no more.

    They come in price-time order. The younger of the two is the taker as far as self-trade
    prevention goes: its mode decides (S8). Both pay as takers.
    """
    bid, ask = book.first(Side.BUY), book.first(Side.SELL)
    if bid is None or ask is None or not ask.price_ticks <= price_ticks <= bid.price_ticks:
        return None
    maker, taker = (bid, ask) if bid.order_id < ask.order_id else (ask, bid)
    lots = min(bid.open_lots - bid.hidden_lots, ask.open_lots - ask.hidden_lots)
    if maker.account_id == taker.account_id and taker.stp is not SelfTrade.NONE:
        return _prevent(book, maker, taker, price_ticks)
    for order in (bid, ask):
        order.filled_lots += lots
        order.filled_units += price_ticks * lots
        book.lessen(order, lots)
        happening = Happening.PART_FILL if order.open_lots else Happening.LAST_FILL
        order.status = NEXT[happening][order.status]
    return Fill(maker, taker, price_ticks, lots, auction=True)


def _prevent(book: Book, maker: Order, taker: Order, price_ticks: int) -> Prevention:
    """Keep an account from trading with itself: each order loses what the taker's mode says."""
    overlap = min(maker.open_lots - maker.hidden_lots, taker.open_lots - taker.hidden_lots)
    maker_lots, taker_lots = losses(taker.stp, overlap, maker.open_lots, taker.open_lots)
    for order, lots in ((maker, maker_lots), (taker, taker_lots)):
        if lots:
            order.prevented_lots += lots
            book.lessen(order, lots)
        if not order.open_lots:
            order.status = NEXT[Happening.PREVENT][order.status]
            order.reason = Reason.SELF_TRADE
    expired = (not maker.open_lots, not taker.open_lots)
    return Prevention(maker, taker, price_ticks, overlap, maker_lots, taker_lots, *expired)
