"""The road every order takes: filters, reserve, book, settle; a liquidation's orders too."""

from __future__ import annotations

from typing import NamedTuple

from exchange.commands import AmendOrder, PlaceOrder
from exchange.events import DepthChanged, Liquidated, Traded
from exchange.telling import Teller
from matching.book import Book
from matching.depth import Depth
from matching.filters import refuse_order, refuse_reduction
from matching.limits import (
    FILLS_PER_COMMAND_MAX,
)
from matching.reasons import Reason
from matching.types import (
    Fill,
    Happening,
    Order,
    OrderType,
    Prevention,
    SelfTrade,
    Side,
    Status,
    TimeInForce,
    TradingState,
)
from risk.account import PERP, Account
from risk.borrowing import repay
from risk.ledger import FIRST_ACCOUNT
from risk.reserve import reserve
from risk.reserve_spot import spot_need
from risk.settle import settle_fill
from risk.settle_contract import count_resting, uncount_closed
from risk.settle_spot import unhold_spot
from risk.state import RiskState


class Placed(NamedTuple):
    """An order that got its id, and whether it was refused after all (post-only)."""

    order: Order
    reason: Reason | None


class Trading:
    """Books, open orders, and what happens to them."""

    def __init__(self, risk: RiskState, teller: Teller) -> None:
        self.risk = risk
        self.teller = teller
        self.books: dict[str, Book] = {symbol: Book() for symbol in risk.instruments}
        self.states: dict[str, TradingState] = dict.fromkeys(risk.instruments, TradingState.TRADING)
        self.depths: dict[str, Depth] = {symbol: Depth(book) for symbol, book in self.books.items()}
        past = risk.venue.past_trades
        self.trade_ids: dict[str, int] = dict.fromkeys(risk.instruments, past)
        self.last_trade: dict[str, tuple[int, int]] = {}  # symbol: (ticks, time_ms)
        self.next_order_id = 1
        self._touched_books: dict[str, None] = {}
        self._moved: dict[tuple[int, str], None] = {}  # Positions whose reduce-only orders to cut.

    # -- placing -------------------------------------------------------------------------------

    def place(self, account: Account, wish: PlaceOrder) -> Placed | Reason:
        """Place an order, or say why not; a refusal has changed nothing."""
        order, refused, worst_ticks = self.consider(account, wish)
        if refused is None:
            refused = reserve(self.risk, account, order, self.books[order.symbol], worst_ticks)
        if refused is not None:
            return refused
        self.next_order_id += 1
        self._match(account, order, worst_ticks)
        return Placed(order, order.reason if order.status is Status.REJECTED else None)

    def consider(self, account: Account, wish: PlaceOrder) -> tuple[Order, Reason | None, int]:
        """The order a wish asks for, why it would be refused, and its worst price; no more."""
        order = self._order(wish)
        if wish.quote_minor and not order.quote_units:
            return order, Reason.AMOUNT_BELOW_ONE_LOT, 0
        reason, worst_ticks = self._admit(account, order)
        return order, reason, worst_ticks

    def refuse_contract(self, account: Account, wish: PlaceOrder) -> Reason | None:
        """Why `place` would refuse an order on a perpetual, or None; nothing is changed."""
        order, refused, worst_ticks = self.consider(account, wish)
        if refused is not None:
            return refused
        return reserve(self.risk, account, order, self.books[order.symbol], worst_ticks)

    def _order(self, wish: PlaceOrder) -> Order:
        """The order a wish asks for, not yet admitted."""
        instrument = self.risk.instruments[wish.symbol]
        return Order(
            order_id=self.next_order_id,
            account_id=wish.account_id,
            symbol=wish.symbol,
            side=wish.side,
            type=wish.type,
            price_ticks=wish.price_ticks,
            lots=wish.lots,
            tif=wish.tif,
            stp=wish.stp,
            quote_units=instrument.whole_units(wish.quote_minor),
            post_only=wish.post_only,
            reduce_only=wish.reduce_only,
            expire_ms=wish.expire_ms,
            client_id=wish.client_id,
            time_ms=self.risk.time_ms,
            wallet=wish.wallet,
            side_effect=wish.side_effect,
            leverage=wish.leverage,
        )

    def _admit(self, account: Account, order: Order, leaving: int = 0) -> tuple[Reason | None, int]:
        """Filters and bands: (why not, the worst price it may execute at or 0).

        `leaving` of the account's open orders make room for it.
        """
        instrument = self.risk.instruments[order.symbol]
        reference_e8 = self.reference_e8(order.symbol)
        open_here = account.open_counts.get(order.symbol, 0) - leaving
        state = self.states[order.symbol]
        refused = refuse_order(instrument, state, order, reference_e8, open_here)
        if refused is not None:
            return refused, 0
        if instrument.kind == "spot":
            return None, instrument.worst_ticks(order.side, reference_e8)
        bound = self.risk.marks[order.symbol].band_ticks(order.side)
        if bound and order.price_ticks:
            beyond = order.price_ticks - bound
            if (beyond if order.side is Side.BUY else -beyond) > 0:
                return Reason.PRICE_BAND, 0
        return None, bound

    def reference_e8(self, symbol: str) -> int:
        """The price filters measure by: mark, index, or the last trade; 0 when there is none."""
        instrument = self.risk.instruments[symbol]
        if instrument.kind != "spot":
            return self.risk.mark_e8(symbol) or 0
        base_e8 = self.risk.price_e8(instrument.base)
        quote_e8 = self.risk.price_e8(instrument.quote)
        if base_e8 and quote_e8:
            return base_e8 * 100_000_000 // quote_e8
        last = self.last_trade.get(symbol)
        return last[0] * instrument.tick_e8 if last else 0

    def _spent(self, order: Order) -> str:
        """The asset a spot order pays with, and holds."""
        instrument = self.risk.instruments[order.symbol]
        return instrument.quote if order.side is Side.BUY else instrument.base

    def force(
        self,
        account: Account,
        wallet: str,
        symbol: str,
        side: Side,
        lots: int,
        limit_ticks: int,
    ) -> Order:
        """An immediate order of the liquidation engine: past filters and margin, not the book."""
        order = Order(
            order_id=self.next_order_id,
            account_id=account.id,
            symbol=symbol,
            side=side,
            type=OrderType.LIMIT,
            price_ticks=limit_ticks,
            lots=lots,
            tif=TimeInForce.IOC,
            stp=SelfTrade.EXPIRE_MAKER,
            time_ms=self.risk.time_ms,
            wallet=wallet,
            forced=True,
        )
        self.next_order_id += 1
        if wallet != PERP:
            asset, need = spot_need(self.risk, order, self.books[symbol], 0)
            self.risk.ledger.lock(self.risk.pocket(account, wallet, asset), need)
            order.hold_minor = need
        self._match(account, order, 0)
        return order

    # -- matching ------------------------------------------------------------------------------

    def _match(self, account: Account, order: Order, worst_ticks: int) -> None:
        """Give an order to its book and settle all that comes of it, in order."""
        book = self.books[order.symbol]
        self._touched_books[order.symbol] = None
        reserved = order.hold_minor
        happened = book.place(order, worst_ticks)
        for step in happened:
            if isinstance(step, Fill):
                self._settle(step)
            else:
                self._prevented(step)
        if order.order_id in book.orders:
            self._rest(account, order, reserved)
        else:
            self._close(account, order)
        self.teller.drain()
        self.teller.order(order, _what_happened(order))
        self._trim_moved()

    def _settle(self, fill: Fill) -> None:
        """Book one fill, tell both owners and the public."""
        maker, taker = fill.maker, fill.taker
        symbol = maker.symbol
        trade_id = self.trade_ids[symbol] = self.trade_ids[symbol] + 1
        maker_side, taker_side = settle_fill(self.risk, fill, trade_id)
        self.last_trade[symbol] = (fill.price_ticks, self.risk.time_ms)
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
        if not maker.is_open:
            self._close(self.risk.accounts[maker.account_id], maker)
        teller.drain()
        teller.order(maker, "filled")
        if maker.wallet == PERP:
            self._moved[maker.account_id, symbol] = None
            self._moved[taker.account_id, symbol] = None

    def _prevented(self, prevention: Prevention) -> None:
        """Free what a prevented self-trade took from the maker."""
        maker = prevention.maker
        account = self.risk.accounts[maker.account_id]
        if prevention.maker_lots:
            uncount_closed(self.risk, account, maker, prevention.maker_lots, maker.open_lots)
        if prevention.maker_expired:
            self._close(account, maker)
        elif prevention.maker_lots and maker.wallet != PERP:
            unhold_spot(self.risk, maker)
        self.teller.order(maker, _what_happened(maker))

    def _rest(self, account: Account, order: Order, reserved: int) -> None:
        """The order rests on the book: remember it, hold what its open part needs."""
        account.orders[order.order_id] = order
        account.open_counts[order.symbol] = account.open_counts.get(order.symbol, 0) + 1
        if order.client_id:
            account.client_orders[order.client_id] = order.order_id
        if order.reduce_only:
            account.reducing.setdefault(order.symbol, {})[order.order_id] = order
            self._moved[account.id, order.symbol] = None
        if order.wallet == PERP:
            order.hold_minor = -(-reserved * order.open_lots // order.lots)
            count_resting(self.risk, account, order)
        else:
            unhold_spot(self.risk, order)

    def _close(self, account: Account, order: Order) -> None:
        """The order is over: free its hold, repay what it borrowed and did not use (M6)."""
        if account.orders.pop(order.order_id, None) is not None:
            account.open_counts[order.symbol] -= 1
        if order.client_id and account.client_orders.get(order.client_id) == order.order_id:
            del account.client_orders[order.client_id]
        reducing = account.reducing.get(order.symbol)
        if reducing is not None:
            reducing.pop(order.order_id, None)
            if not reducing:
                del account.reducing[order.symbol]
        borrowed = account.order_loans.pop(order.order_id, 0)
        if order.wallet == PERP:
            order.hold_minor = 0
            return
        freed = unhold_spot(self.risk, order)
        if borrowed and freed:
            repay(self.risk, account, order.wallet, self._spent(order), min(borrowed, freed))

    # -- cancelling ----------------------------------------------------------------------------

    def cancel(self, order: Order, reason: Reason, happening: Happening = Happening.CANCEL) -> None:
        """Take a resting order off its book."""
        account = self.risk.accounts[order.account_id]
        self.risk.settle(account)
        lots = order.open_lots
        self._touched_books[order.symbol] = None
        self.books[order.symbol].cancel(order.order_id, happening, reason)
        self._gone(account, order, lots)

    def _gone(self, account: Account, order: Order, lots: int) -> None:
        """An order left the book with that many lots open."""
        uncount_closed(self.risk, account, order, lots)
        self._close(account, order)
        self.risk.touch_wallet(account, order.wallet)
        self.teller.drain()
        self.teller.order(order, _what_happened(order))

    def expire_due(self, now_ms: int, limit: int) -> int:
        """Expire good-till-date orders whose time has come; how many there were."""
        count = 0
        for book in self.books.values():
            count += self._expire_book(book, now_ms, limit - count)
        return count

    def _expire_book(self, book: Book, now_ms: int, limit: int) -> int:
        count = 0
        while 0 < book.next_expiry_ms <= now_ms and count < limit:
            order = book.orders[book.next_expiry_id]
            self.cancel(order, Reason.EXPIRED_BY_TIME, Happening.EXPIRE)
            count += 1
        return count

    def expire_first(self, symbol: str) -> Reason | None:
        """Before a book is traded on: between two grid points, too, nobody meets an order that is
        past its date (S2). BUSY where there are more of those than one command may end.
        """
        book, now_ms = self.books[symbol], self.risk.time_ms
        if not 0 < book.next_expiry_ms <= now_ms:
            return None
        self._expire_book(book, now_ms, FILLS_PER_COMMAND_MAX)
        return Reason.BUSY if 0 < book.next_expiry_ms <= now_ms else None

    def cancel_wallet(self, account: Account, wallet: str, symbol: str = "") -> None:
        """Cancel every order of an account on one wallet (and symbol): before a liquidation."""
        for order in list(account.orders.values()):
            if order.wallet == wallet and (not symbol or order.symbol == symbol):
                self.cancel(order, Reason.LIQUIDATION)

    def cancel_everything(self, account: Account, reason: Reason) -> None:
        """Cancel every order, on halted books too."""
        for order in list(account.orders.values()):
            self.cancel(order, reason)

    # -- amending ------------------------------------------------------------------------------

    def amend(self, account: Account, order: Order, wish: AmendOrder) -> Placed | Reason:
        """Change an open order: a pure reduction keeps its place, anything else is a new order."""
        lots = wish.lots or order.lots
        ticks = wish.price_ticks or order.price_ticks
        if lots == order.lots and ticks == order.price_ticks:
            return Reason.NOTHING_TO_AMEND
        if lots <= order.filled_lots + order.prevented_lots:
            return Reason.AMEND_BELOW_FILLED
        if ticks == order.price_ticks and lots < order.lots:
            return self._reduce(account, order, lots)
        return self._replace(account, order, lots, ticks)

    def _reduce(self, account: Account, order: Order, lots: int) -> Placed | Reason:
        less = order.lots - lots
        instrument = self.risk.instruments[order.symbol]
        refused = refuse_reduction(instrument, self.states[order.symbol], order, lots)
        if refused is not None:
            return refused
        reduced = self.books[order.symbol].reduce(order.order_id, lots)
        if isinstance(reduced, Reason):
            return reduced
        self._touched_books[order.symbol] = None
        self._shrunk(account, order, less)
        return Placed(order, None)

    def _shrunk(self, account: Account, order: Order, less: int) -> None:
        """A resting order lost lots without trading: free their hold."""
        if order.wallet == PERP:
            uncount_closed(self.risk, account, order, less, order.open_lots)
        else:
            unhold_spot(self.risk, order)
        self.teller.order(order, "amended")

    def _replace(self, account: Account, order: Order, lots: int, ticks: int) -> Placed | Reason:
        """Cancel and place anew, as one: if the new order is refused the old one stays (S7)."""
        fresh = Order(
            order_id=self.next_order_id,
            account_id=account.id,
            symbol=order.symbol,
            side=order.side,
            type=order.type,
            price_ticks=ticks,
            lots=lots - order.filled_lots - order.prevented_lots,
            tif=order.tif,
            stp=order.stp,
            post_only=order.post_only,
            reduce_only=order.reduce_only,
            expire_ms=order.expire_ms,
            client_id=order.client_id,
            time_ms=self.risk.time_ms,
            wallet=order.wallet,
            side_effect=order.side_effect,
        )
        held = order.hold_minor
        refused, worst_ticks = self._admit(account, fresh, leaving=1)
        if refused is None:
            refused = self._reserve_in_place_of(account, order, fresh, worst_ticks)
        if refused is not None:
            return refused
        self.next_order_id += 1
        self._pass_on_loan(account, order, fresh, held)
        self.cancel(order, Reason.CANCELLED_BY_USER)
        self._match(account, fresh, worst_ticks)
        return Placed(fresh, fresh.reason if fresh.status is Status.REJECTED else None)

    def _reserve_in_place_of(
        self, account: Account, old: Order, fresh: Order, worst_ticks: int
    ) -> Reason | None:
        """Reserve for a new order as if the old one's hold were free already."""
        risk = self.risk
        book = self.books[old.symbol]
        if old.wallet == PERP:
            held = old.hold_minor
            uncount_closed(risk, account, old, old.open_lots)
            refused = reserve(risk, account, fresh, book, worst_ticks)
            old.hold_minor = held
            count_resting(risk, account, old)
            return refused
        pocket = risk.pocket(account, old.wallet, self._spent(old))
        pocket.locked -= old.hold_minor  # Supposed only: on a refusal there is nothing to tell.
        refused = reserve(risk, account, fresh, book, worst_ticks)
        pocket.locked += old.hold_minor
        if refused is None:
            risk.ledger.unlock(pocket, old.hold_minor)
            old.hold_minor = 0
        return refused

    def _pass_on_loan(self, account: Account, old: Order, fresh: Order, held: int) -> None:
        """What the old order borrowed is the new one's; what that needs no more is repaid (M6)."""
        borrowed = account.order_loans.pop(old.order_id, 0)
        if not borrowed:
            return
        spare = min(borrowed, max(0, held - fresh.hold_minor))
        repay(self.risk, account, old.wallet, self._spent(old), spare)
        left = account.order_loans.get(fresh.order_id, 0) + borrowed - spare
        if left:
            account.order_loans[fresh.order_id] = left

    # -- reduce-only (P15) ---------------------------------------------------------------------

    def _trim_moved(self) -> None:
        """Cut reduce-only orders of positions that moved to what is left to reduce."""
        while self._moved:
            account_id, symbol = next(iter(self._moved))
            del self._moved[account_id, symbol]
            account = self.risk.accounts[account_id]
            if symbol in account.reducing:
                self._trim(account, symbol)

    def _trim(self, account: Account, symbol: str) -> None:
        """Orders nearest to execution are kept, the rest cut or cancelled."""
        held = account.lots(symbol)
        orders = sorted(account.reducing[symbol].values(), key=_nearest_first)
        left = abs(held)
        for order in orders:
            if not held or (held > 0) == (order.side is Side.BUY) or not left:
                self.cancel(order, Reason.REDUCE_ONLY_TRIMMED)
            elif order.open_lots > left:
                less = order.open_lots - left
                self.books[symbol].reduce(order.order_id, order.lots - less)
                self._touched_books[symbol] = None
                self._shrunk(account, order, less)
                left = 0
            else:
                left -= order.open_lots

    # -- depth ---------------------------------------------------------------------------------

    def tell_depth(self) -> None:
        """Tell the levels this command touched, one numbered difference a book."""
        teller = self.teller
        for symbol in self._touched_books:
            change = self.depths[symbol].difference()
            if change is not None:
                teller.tell(DepthChanged(teller.seq, teller.time_ms, symbol, *change))
        self._touched_books.clear()


def _nearest_first(order: Order) -> tuple[int, int]:
    """Sorts orders of one side by price, the one to execute first first, then by age."""
    ticks = order.price_ticks
    return (-ticks if order.side is Side.BUY else ticks, order.order_id)


def _what_happened(order: Order) -> str:
    """The word for an order's present state."""
    if order.status is Status.NEW:
        return "accepted"
    if order.status in (Status.PARTIALLY_FILLED, Status.FILLED):
        return "filled"
    if order.status is Status.CANCELLED:
        return "cancelled"
    return "rejected" if order.status is Status.REJECTED else "expired"
