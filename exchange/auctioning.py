"""Trading states, auctions and circuit breakers: how a book closes, collects and opens (S13, S14).

A book that collects stands for everybody else: nothing matches, no stop wakes, no liquidation
touches it. It opens by an uncross: its price is fixed first, then the fills follow in slices, the
book still standing, until nobody is left who accepts the price.
"""

from __future__ import annotations

from typing import Any, Final

from exchange.events import AuctionIndicated, AuctionUncrossed, SymbolStateChanged
from exchange.execution import Execution
from exchange.reducing import trim_moved
from matching.auction import Uncross, crossing, uncross_price
from matching.reasons import Reason
from matching.types import Fill, Side, TradingState, TriggerSource

STANDING: Final = frozenset(  # No order trades.
    {TradingState.HALT, TradingState.CANCEL_ONLY, TradingState.PRE_OPEN, TradingState.AUCTION}
)
NOTHING: Final = Uncross(0, 0, 0)


class Auction:
    """One book's auction: when it ends by itself, and how far its uncross has come."""

    __slots__ = ("back", "done_lots", "found", "opens", "prices", "told", "until_ms")

    def __init__(self, until_ms: int = 0, back: TradingState = TradingState.TRADING) -> None:
        self.until_ms = until_ms  # 0: when an administrator opens the book.
        self.back = back  # The state it opens to by itself: that from which its breaker took it.
        self.opens: TradingState | None = None  # The state it opens to, once it has begun to.
        self.found = NOTHING  # What it trades; the price stands until all fills are made.
        self.done_lots = 0
        self.prices: list[int] = []  # At which it has traded.
        self.told = NOTHING  # The price last indicated.

    def state(self) -> list[object]:
        """Everything, as plain values."""
        opens = None if self.opens is None else int(self.opens)
        lists = [list(self.found), self.done_lots, list(self.prices), list(self.told)]
        return [self.until_ms, opens, *lists, int(self.back)]

    @classmethod
    def restore(cls, state: list[Any]) -> Auction:
        """The auction of which `state` was told."""
        auction = cls(state[0], TradingState(state[6]))
        auction.opens = None if state[1] is None else TradingState(state[1])
        auction.found = Uncross(*state[2])
        auction.done_lots, auction.prices = state[3], list(state[4])
        auction.told = Uncross(*state[5])
        return auction


# -- states ------------------------------------------------------------------------------------


def change_state(execution: Execution, symbol: str, state: TradingState) -> Reason | None:
    """An administrator's state; out of an auction in which bids and asks cross leads the uncross
    alone (I6), which is pending work then."""
    auction = execution.auctions.get(symbol)
    if auction is None and state is TradingState.AUCTION:
        begin_auction(execution, symbol, 0)
    elif auction is None:
        _set_state(execution, symbol, state)
    elif auction.opens is not None:
        return Reason.BUSY
    elif state is TradingState.AUCTION:
        auction.until_ms = 0
    elif state not in STANDING:
        auction.opens = state
    elif found_price(execution, symbol) is not None:
        return Reason.BOOK_CROSSED
    else:
        _end(execution, symbol, state)
    return None


def begin_auction(
    execution: Execution, symbol: str, until_ms: int, back: TradingState = TradingState.TRADING
) -> None:
    """Collect orders from now on, until a moment or (0) an administrator's word."""
    execution.auctions[symbol] = Auction(until_ms, back)
    execution.books[symbol].collecting = True
    _set_state(execution, symbol, TradingState.AUCTION)


def _set_state(execution: Execution, symbol: str, state: TradingState) -> None:
    """Books that stand hold up liquidations; what waited for one goes on once it opens."""
    execution.states[symbol] = state
    risk, teller = execution.risk, execution.teller
    if state in STANDING:
        risk.halted.add(symbol)
    else:
        risk.halted.discard(symbol)
        risk.thaw()
        execution.fired.extend((symbol, order_id) for order_id in execution.held.pop(symbol, ()))
        execution.look(symbol, TriggerSource.MARK)
    teller.tell(SymbolStateChanged(teller.seq, teller.time_ms, symbol, state.name.lower()))


# -- the circuit breaker -----------------------------------------------------------------------


def trip(execution: Execution) -> None:
    """Behind a match: the books whose price moved too far collect orders for a while (S13).

    Each opens again as what it was: one that took limit orders alone takes no others then.
    """
    for symbol in execution.tripped:
        state = execution.states[symbol]
        if state not in STANDING:
            length_ms = execution.risk.instruments[symbol].breaker_auction_ms
            begin_auction(execution, symbol, execution.risk.time_ms + length_ms, state)
    execution.tripped.clear()


def open_due(execution: Execution, now_ms: int) -> bool:
    """Let the auctions whose time is over begin to open; whether any did."""
    due = [a for a in execution.auctions.values() if 0 < a.until_ms <= now_ms and a.opens is None]
    for auction in due:
        auction.opens = auction.back
    if due:
        execution.risk.time_ms = now_ms  # Who is past their date by now trades no more (S2).
    return bool(due)


# -- the uncross -------------------------------------------------------------------------------


def found_price(execution: Execution, symbol: str) -> Uncross | None:
    """What an auction would trade as its book stands. O(levels)."""
    book, instrument = execution.books[symbol], execution.risk.instruments[symbol]
    bids, asks = book.whole_levels(Side.BUY), book.whole_levels(Side.SELL)
    last = execution.last_trade.get(symbol)
    reference_e8 = last[0] * instrument.tick_e8 if last else execution.reference_e8(symbol)
    return uncross_price(bids, asks, reference_e8, instrument.tick_e8)


def indicate(execution: Execution) -> None:
    """At a grid point: where each auction would trade now, if that has changed."""
    teller = execution.teller
    for symbol, auction in execution.auctions.items():
        found = found_price(execution, symbol) or NOTHING
        if found != auction.told:
            auction.told = found
            teller.tell(AuctionIndicated(teller.seq, teller.time_ms, symbol, *found))


def uncross(execution: Execution, budget: int) -> int:
    """Carry on with the auctions that open, one after the other; the work done."""
    done = 0
    for symbol in [s for s, a in execution.auctions.items() if a.opens is not None]:
        while done < budget and symbol in execution.auctions:
            _step(execution, symbol, execution.auctions[symbol])
            done += 1
    return done


def _step(execution: Execution, symbol: str, auction: Auction) -> None:
    """One fill, the price before the first, or the end behind the last.

    Self-trade prevention can leave bids and asks that cross: they are uncrossed in turn.
    """
    if execution.expire_first(symbol) is not None:
        return  # There are more orders past their date than one command may end.
    if not auction.found.lots:
        auction.found = found_price(execution, symbol) or NOTHING
        if not auction.found.lots:
            assert auction.opens is not None
            _end(execution, symbol, auction.opens)
        return
    happened = crossing(execution.books[symbol], auction.found.price_ticks)
    if happened is None:
        _tell_uncrossed(execution, symbol, auction)
        return
    execution.touched_books[symbol] = None
    if isinstance(happened, Fill):
        auction.done_lots += happened.lots
    execution.settle_auction(happened)
    trim_moved(execution)


def _tell_uncrossed(execution: Execution, symbol: str, auction: Auction) -> None:
    teller, found = execution.teller, auction.found
    if auction.done_lots:
        auction.prices.append(found.price_ticks)
        what = (found.price_ticks, auction.done_lots, found.imbalance_lots)
        teller.tell(AuctionUncrossed(teller.seq, teller.time_ms, symbol, *what))
    auction.found, auction.done_lots = NOTHING, 0


def _end(execution: Execution, symbol: str, state: TradingState) -> None:
    """The book trades again; the stops that the auction's prices reached wake (T11)."""
    auction = execution.auctions.pop(symbol)
    execution.books[symbol].collecting = False
    last = execution.last_trade.get(symbol)
    if symbol in execution.breakers and last:
        execution.breakers[symbol].begin(execution.risk.time_ms, last[0])
    _set_state(execution, symbol, state)
    for price_ticks in auction.prices:
        execution.last_trade[symbol] = (price_ticks, execution.risk.time_ms)
        execution.look(symbol, TriggerSource.LAST)
