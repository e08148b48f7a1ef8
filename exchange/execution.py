# cython: overflowcheck=True
"""The books at work: matching, settling fills, resting, ending orders; and those that sleep."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from exchange.countdowns import Countdowns
from exchange.events import DepthChanged, Liquidated, Traded
from exchange.listing import Lists
from exchange.telling import Teller
from matching.average import Average
from matching.book import Book
from matching.breaker import Breaker
from matching.depth import Depth
from matching.limits import FILLS_PER_COMMAND_MAX, MINOR_PER_UNIT
from matching.reasons import Reason
from matching.triggers import SOURCES, Triggers
from matching.types import (
    Fill,
    Happening,
    Order,
    Prevention,
    Side,
    Status,
    TradingState,
    TriggerSource,
)
from risk.account import PERP, Account
from risk.borrowing import repay_unused
from risk.ledger import FIRST_ACCOUNT
from risk.money import E12
from risk.records import Booked
from risk.reserve_spot import held_in_all, spent_minor
from risk.settle import settle_fill
from risk.settle_contract import count_resting, uncount
from risk.settle_spot import unhold_spot
from risk.state import RiskState

if TYPE_CHECKING:
    from exchange.auctioning import Auction


class Execution:
    """Books, the orders on them and asleep beside them, and what befalls these orders."""

    __slots__ = (
        "auctions",
        "averages",
        "books",
        "breakers",
        "countdowns",
        "depths",
        "fired",
        "held",
        "last_trade",
        "lists",
        "next_order_id",
        "risk",
        "states",
        "teller",
        "touched_books",
        "trade_ids",
        "triggers",
        "tripped",
    )

    def __init__(self, risk: RiskState, teller: Teller) -> None:
        self.risk = risk
        self.teller = teller
        self.books: dict[str, Book] = {symbol: Book() for symbol in risk.instruments}
        self.states: dict[str, TradingState] = dict.fromkeys(risk.instruments, TradingState.TRADING)
        self.depths: dict[str, Depth] = {symbol: Depth(book) for symbol, book in self.books.items()}
        self.triggers: dict[str, Triggers] = {
            symbol: Triggers(each.tick_e8) for symbol, each in risk.instruments.items()
        }
        self.fired: deque[tuple[str, int]] = deque()  # Orders that a price woke, first come first.
        past = risk.venue.past_trades
        self.trade_ids: dict[str, int] = dict.fromkeys(risk.instruments, past)
        self.last_trade: dict[str, tuple[int, int]] = {}  # symbol: (ticks, time_ms)
        self.next_order_id = 1
        self.touched_books: dict[str, None] = {}
        self.auctions: dict[str, Auction] = {}  # Of the books that collect.
        self.held: dict[str, list[int]] = {}  # Orders that woke before their book stood.
        self.breakers: dict[str, Breaker] = {
            symbol: Breaker(each.breaker_move_bps)
            for symbol, each in risk.instruments.items()
            if each.breaker_move_bps
        }
        self.averages: dict[str, Average] = {  # Of the pairs that have traded under no index yet.
            symbol: Average() for symbol, each in risk.instruments.items() if each.kind == "spot"
        }
        self.countdowns = Countdowns()
        self.lists = Lists()
        self.tripped: dict[str, None] = {}  # Books whose breaker trips behind this match.

    def spent(self, order: Order) -> str:
        """The asset a spot order pays with, and holds."""
        instrument = self.risk.instruments[order.symbol]
        return instrument.quote if order.side is Side.BUY else instrument.base

    # -- matching ------------------------------------------------------------------------------

    def match(self, account: Account, order: Order, worst_ticks: int) -> None:
        """Give an order to its book and settle all that comes of it, in order.

        Each trade wakes the orders asleep that its price reaches, in the order of the trades
        (T11); they only queue up in `fired`, for a match never leads into another one.
        """
        book = self.books[order.symbol]
        self.touched_books[order.symbol] = None
        reserved = order.hold_minor
        happened = book.place(order, worst_ticks)
        for step in happened:
            if isinstance(step, Fill):
                self._settle(step)
            else:
                self._lost(step.maker, step.maker_lots)
        if order.order_id in book.orders:
            self._rest(account, order, reserved)
            if order.list_id and order.prevented_lots:
                self.lists.note(order)
        else:
            self.close(account, order, reserved)
        self.teller.drain()
        self.teller.order(order, what_happened(order))

    def _settle(self, fill: Fill) -> None:
        """Book one fill, tell both owners and the public."""
        maker, taker = fill.maker, fill.taker
        symbol = maker.symbol
        trade_id = self.trade_ids[symbol] = self.trade_ids[symbol] + 1
        maker_side, taker_side = settle_fill(self.risk, fill, trade_id)
        self.last_trade[symbol] = (fill.price_ticks, self.risk.time_ms)
        if symbol in self.averages:
            self._average(symbol, fill)
        breaker = self.breakers.get(symbol)
        if breaker is not None and breaker.trips(self.risk.time_ms, fill.price_ticks):
            self.tripped[symbol] = None
        teller = self.teller
        forced = taker.forced
        teller.tell(
            Traded(
                teller.seq,
                teller.time_ms,
                symbol,
                trade_id,
                fill.price_ticks,
                fill.lots,
                taker.side,
                maker.order_id,
                taker.order_id,
                forced,
            )
        )
        teller.filled(fill, maker, maker_side, trade_id)
        teller.filled(fill, taker, taker_side, trade_id)
        if forced and taker.account_id >= FIRST_ACCOUNT:
            teller.tell(
                Liquidated(
                    teller.seq, teller.time_ms, symbol, taker.side, fill.lots, fill.price_ticks
                )
            )
        if maker.list_id or taker.list_id:
            self._count(fill, maker_side, taker_side)
        for order in (maker, taker) if fill.auction else (maker,):
            # Of an iceberg that holds something still there are more fills to settle.
            more = order.counted_lots if order.wallet == PERP else order.hold_minor
            if not order.is_open and not more:
                self.close(self.risk.accounts[order.account_id], order)
            teller.drain()
            teller.order(order, "filled")
        self.look(symbol, TriggerSource.LAST)

    def _count(self, fill: Fill, *sides: Booked) -> None:
        """Legs of lists were filled; a fee in the coin that was bought leaves less of it (T21)."""
        base = self.risk.instruments[fill.maker.symbol].base
        for order, booked in zip((fill.maker, fill.taker), sides, strict=True):
            if order.list_id:
                paid = order.side is Side.BUY and booked.fee_asset == base
                self.lists.filled(order, fill.lots, booked.fee_minor if paid else 0)

    def settle_auction(self, happened: Fill | Prevention) -> None:
        """Settle one step of an uncross: both orders rested on the book before it."""
        if isinstance(happened, Fill):
            self._settle(happened)
            self.tripped.clear()  # Where an auction trades is where its breaker begins anew.
            return
        self._lost(happened.maker, happened.maker_lots)
        self._lost(happened.taker, happened.taker_lots)

    def _lost(self, order: Order, lots: int) -> None:
        """Free what a prevented self-trade took from an order that rests or has rested."""
        account = self.risk.accounts[order.account_id]
        if lots:
            uncount(self.risk, account, order, lots)
        if not order.is_open:
            # Of an iceberg that is counted still there are more slices to lose.
            if order.wallet != PERP or not order.counted_lots:
                self.close(account, order)
        elif lots and order.wallet != PERP:
            unhold_spot(self.risk, order)
        if lots and order.list_id and order.is_open:
            self.lists.note(order)
        self.teller.order(order, what_happened(order))

    def _rest(self, account: Account, order: Order, reserved: int) -> None:
        """The order rests on the book: remember it, hold what its open part needs."""
        self.list_order(account, order)
        if order.reduce_only:
            account.reducing.setdefault(order.leg, {})[order.order_id] = order
        if order.leg in account.reducing:
            self.risk.moved[account.id, order.leg] = None
        if order.wallet == PERP:
            order.hold_minor = -(-reserved * order.open_lots // order.lots)
            count_resting(self.risk, account, order)
        else:
            unhold_spot(self.risk, order)

    def list_order(self, account: Account, order: Order) -> None:
        """An order stays with its account, on the book or asleep; one that woke is listed."""
        if order.order_id not in account.orders:
            account.orders[order.order_id] = order
            account.open_counts[order.symbol] = account.open_counts.get(order.symbol, 0) + 1
            if order.client_id:
                account.client_orders[order.client_id] = order.order_id

    def close(self, account: Account, order: Order, reserved_minor: int = 0) -> None:
        """The order is over: free its hold, repay what it borrowed and did not use (M6).

        `reserved_minor` is what it held before it was matched, where it ends in that same match:
        its first fill freed that already.
        """
        if order.list_id:
            self.lists.note(order)
        if account.orders.pop(order.order_id, None) is not None:
            account.open_counts[order.symbol] -= 1
        if order.client_id and account.client_orders.get(order.client_id) == order.order_id:
            del account.client_orders[order.client_id]
        reducing = account.reducing.get(order.leg)
        if reducing is not None:
            reducing.pop(order.order_id, None)
            if not reducing:
                del account.reducing[order.leg]
        account.rouse(order)
        borrowed = account.order_loans.pop(order.order_id, 0)
        if order.wallet == PERP:
            order.hold_minor = 0
            return
        freed = unhold_spot(self.risk, order)
        if borrowed:
            rested = order.filled_lots or order.prevented_lots
            reserved = reserved_minor or (held_in_all(self.risk, order) if rested else freed)
            unspent = max(0, reserved - spent_minor(self.risk, order))
            repay_unused(self.risk, account, order, self.spent(order), min(borrowed, unspent))

    # -- cancelling ----------------------------------------------------------------------------

    def cancel(self, order: Order, reason: Reason, happening: Happening = Happening.CANCEL) -> None:
        """Take a resting order off its book, or end one that sleeps."""
        account = self.risk.accounts[order.account_id]
        self.risk.settle(account)
        if order.is_asleep:
            self.triggers[order.symbol].end(order, happening, reason)
        else:
            lots = order.open_lots
            self.touched_books[order.symbol] = None
            self.books[order.symbol].cancel(order.order_id, happening, reason)
            uncount(self.risk, account, order, lots)
        self.close(account, order)
        self.risk.touch_wallet(account, order.wallet)
        self.teller.drain()
        self.teller.order(order, what_happened(order))

    def shrunk(self, account: Account, order: Order, less: int) -> None:
        """A resting order lost lots without trading: free their hold."""
        if order.wallet == PERP:
            uncount(self.risk, account, order, less)
        else:
            unhold_spot(self.risk, order)
        self.teller.order(order, "amended")

    def expire_due(self, now_ms: int, limit: int) -> int:
        """Expire good-till-date orders whose time has come; how many there were."""
        count = 0
        for book in self.books.values():
            count += self._expire(book, now_ms, limit - count)
        for triggers in self.triggers.values():
            count += self._expire(triggers, now_ms, limit - count)
        return count

    def _expire(self, book: Book | Triggers, now_ms: int, limit: int) -> int:
        count = 0
        while 0 < book.next_expiry_ms <= now_ms and count < limit:
            order = book.orders[book.next_expiry_id]
            self.cancel(order, Reason.EXPIRED_BY_TIME, Happening.EXPIRE)
            count += 1
        return count

    @property
    def opening(self) -> bool:
        """Whether an auction's fills are under way."""
        if not self.auctions:
            return False
        return any(auction.opens is not None for auction in self.auctions.values())

    def make_ready(self, symbol: str) -> Reason | None:
        """Before a user's order reaches a book: `expire_first`; BUSY while the book uncrosses."""
        auction = self.auctions.get(symbol)
        if auction is not None and auction.opens is not None:
            return Reason.BUSY
        return self.expire_first(symbol)

    def expire_first(self, symbol: str) -> Reason | None:
        """Before a book is traded on: between two grid points, too, nobody meets an order that is
        past its date (S2). BUSY where there are more of those than one command may end.
        """
        book, now_ms = self.books[symbol], self.risk.time_ms
        if not 0 < book.next_expiry_ms <= now_ms:
            return None
        self._expire(book, now_ms, FILLS_PER_COMMAND_MAX)
        return Reason.BUSY if 0 < book.next_expiry_ms <= now_ms else None

    # -- orders asleep (S4, P16) ----------------------------------------------------------------

    def look(self, symbol: str, fresh: TriggerSource | None) -> None:
        """Queue up the orders that the last trade or the mark of an instrument wakes now.

        Of these two prices the `fresh` one is new, and moves what trailing orders follow; none is
        where an order fell asleep whose trigger may have been reached before.
        Protected orders are looked at by both prices whenever either moves, for either can bring
        them close enough together. A book that stands wakes nobody: its orders are looked at
        again when it opens.
        """
        triggers = self.triggers[symbol]
        if not triggers.orders or symbol in self.risk.halted:
            return
        calm = self._is_calm(symbol)
        for source in SOURCES:
            price_e8 = self.price_e8(symbol, source)
            if price_e8 is not None:
                woken = triggers.fired(source, price_e8, calm, source is fresh)
                if woken:
                    self.fired.extend([(symbol, order_id) for order_id in woken])

    def look_at_marks(self) -> None:
        """`look` at every perpetual: their marks were computed anew."""
        for symbol in self.risk.marks:
            self.look(symbol, TriggerSource.MARK)

    def reference_e8(self, symbol: str) -> int:
        """The price filters measure by (S9): mark, or index, else the average of the trades of the
        last minutes, else the last trade; 0 when there is none.
        """
        if self.risk.instruments[symbol].kind != "spot":
            return self.risk.mark_e8(symbol) or 0
        index_e8 = self._index_e8(symbol)
        last = self.last_trade.get(symbol)
        if index_e8 or last is None:
            return index_e8
        tick_e8 = self.risk.instruments[symbol].tick_e8
        average = self.averages.get(symbol)
        found = average.price_e8(self.risk.time_ms, tick_e8) if average else None
        return last[0] * tick_e8 if found is None else found

    def _index_e8(self, symbol: str) -> int:
        """What the index of a pair's base is in its quote; 0 before there is one of both."""
        instrument = self.risk.instruments[symbol]
        base_e8 = self.risk.price_e8(instrument.base)
        quote_e8 = self.risk.price_e8(instrument.quote)
        return base_e8 * MINOR_PER_UNIT // quote_e8 if base_e8 and quote_e8 else 0

    def _average(self, symbol: str, fill: Fill) -> None:
        """A pair without an index traded; once it has one, that is what filters measure by."""
        if self._index_e8(symbol):
            del self.averages[symbol]
        else:
            self.averages[symbol].note(self.risk.time_ms, fill.price_ticks, fill.lots)

    def price_e8(self, symbol: str, source: TriggerSource) -> int | None:
        """The price that wakes orders of a source; None before its first, as of a pair's mark."""
        if source is TriggerSource.MARK:
            perp = self.risk.marks.get(symbol)
            return perp.mark_e8 if perp else None
        last = self.last_trade.get(symbol)
        return last[0] * self.risk.instruments[symbol].tick_e8 if last else None

    def _is_calm(self, symbol: str) -> bool:
        """Whether last and mark lie within the contract's protection of each other (P16)."""
        last_e8 = self.price_e8(symbol, TriggerSource.LAST)
        mark_e8 = self.price_e8(symbol, TriggerSource.MARK)
        if last_e8 is None or mark_e8 is None:
            return False
        return abs(last_e8 - mark_e8) * E12 <= self.risk.perps[symbol].price_protect_e12 * mark_e8

    # -- depth ---------------------------------------------------------------------------------

    def tell_depth(self) -> None:
        """Tell the levels this command touched, one numbered difference a book."""
        teller = self.teller
        for symbol in self.touched_books:
            change = self.depths[symbol].difference()
            if change is not None:
                teller.tell(DepthChanged(teller.seq, teller.time_ms, symbol, *change))
        self.touched_books.clear()


def what_happened(order: Order) -> str:
    """The word for an order's present state."""
    if order.status is Status.NEW:
        return "accepted"
    if order.status in (Status.PARTIALLY_FILLED, Status.FILLED):
        return "filled"
    if order.status is Status.CANCELLED:
        return "cancelled"
    return "rejected" if order.status is Status.REJECTED else "expired"
