"""What the twin knows: orders, two books of them, positions in lots, lists, and what it told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

from exchange.commands import PlaceOrder
from matching.types import OrderType, Side, TimeInForce, TradingState, TriggerSource
from tests.naive.naive_book import NaiveBook, NaiveOrder
from tests.twin.market import PAIR, TICK_E8, UNIT_MINOR, Bounds

MARKETS = (OrderType.MARKET, OrderType.STOP, OrderType.TAKE_PROFIT, OrderType.TRAILING_STOP)
STOPS = (OrderType.STOP, OrderType.STOP_LIMIT)
SLEEPERS = (*STOPS, OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT, OrderType.TRAILING_STOP)
STANDING = (
    *(TradingState.HALT, TradingState.CANCEL_ONLY, TradingState.PRE_OPEN, TradingState.AUCTION),
)
SLOT_MS = 10_000
WINDOW_SLOTS = 30  # Five minutes of ten seconds.

Told = tuple[Any, ...]


@dataclass
class TwinOrder(NaiveOrder):
    """An order: what the naive book knows of it, and what the rest of an exchange adds."""

    symbol: str = ""
    reduce_only: bool = False
    trigger_ticks: int = 0
    trigger: TriggerSource = TriggerSource.LAST
    close_position: bool = False
    price_protect: bool = False
    trailing_bps: int = 0
    placed_ms: int = 0
    triggered_ms: int = 0
    list_id: int = 0
    amends: int = 0
    fired: bool = False  # A price woke it, and its turn has not come yet.
    extreme_e8: int = 0  # What a trailing order follows from; 0: not yet.

    @property
    def is_market(self) -> bool:
        return self.type in MARKETS

    @property
    def is_open(self) -> bool:
        return self.status in ("NEW", "PARTIALLY_FILLED", "PENDING_TRIGGER")

    @property
    def is_asleep(self) -> bool:
        return self.status == "PENDING_TRIGGER"

    @property
    def rises(self) -> bool:
        """Whether a price at or above its trigger is what it waits for (S4)."""
        return (self.type in STOPS) == (self.side is Side.BUY)

    @property
    def gone_lots(self) -> int:
        return self.filled_lots + self.prevented_lots


def order_of(wish: PlaceOrder, order_id: int, now_ms: int) -> TwinOrder:
    """The order a wish asks for."""
    return TwinOrder(
        order_id=order_id,
        account_id=wish.account_id,
        side=wish.side,
        type=wish.type,
        price_ticks=wish.price_ticks,
        lots=wish.lots,
        tif=wish.tif,
        stp=wish.stp,
        post_only=wish.post_only,
        quote_units=wish.quote_minor // UNIT_MINOR,
        expire_ms=wish.expire_ms,
        iceberg_lots=wish.iceberg_lots,
        symbol=wish.symbol,
        reduce_only=wish.reduce_only or wish.close_position,
        trigger_ticks=wish.trigger_ticks,
        trigger=wish.trigger,
        close_position=wish.close_position,
        price_protect=wish.price_protect,
        trailing_bps=wish.trailing_bps,
        placed_ms=now_ms,
    )


@dataclass
class TwinAuction:
    """A book that collects: when it opens by itself, to what, and what it told last."""

    until_ms: int
    back: TradingState
    number: int  # Those that began first are looked at first.
    opens: TradingState | None = None
    told: tuple[int, int, int] = (0, 0, 0)


@dataclass
class TwinLeg:
    """A leg of a list: a wish until it is placed, an order from then."""

    wish: PlaceOrder
    order: TwinOrder | None = None
    end: str = ""  # Of a leg that was never placed: "ENDED" or "REJECTED".
    filled_lots: int = 0  # Of all the orders that it was, where it was amended,
    paid_minor: int = 0  # and the fees that were taken out of what they bought.
    had_moved: bool = False  # Before it was amended.

    @property
    def status(self) -> str:
        if self.order is None:
            return self.end or "PENDING"
        filled = self.filled_lots > 0
        if self.order.is_open:
            moved = filled or self.had_moved or self.order.prevented_lots or self.order.triggered_ms
            return "MOVED" if moved else "OPEN"
        if self.order.status in ("FILLED", "REJECTED"):
            return self.order.status
        return "PART_FILLED" if filled else "ENDED"


@dataclass
class TwinList:
    """Orders that hang together: an OCO is [limit, stop]; what works comes before it."""

    list_id: int
    account_id: int
    symbol: str
    kind: str
    legs: list[TwinLeg]
    bracket: bool = False
    reason: str | None = None

    @property
    def pair(self) -> list[TwinLeg]:
        return {"OCO": self.legs, "OTO": [], "OTOCO": self.legs[1:]}[self.kind]

    @property
    def status(self) -> str:
        stand = [leg.status for leg in self.legs]
        if any(status in ("PENDING", "OPEN", "MOVED") for status in stand):
            return "EXECUTING"
        return "REJECTED" if "REJECTED" in stand else "DONE"


@dataclass
class Board:
    """One instrument: its book, its sleeping orders, its trades."""

    symbol: str
    bounds: Bounds
    book: NaiveBook = field(default_factory=NaiveBook)
    asleep: list[TwinOrder] = field(default_factory=list)
    held: list[TwinOrder] = field(default_factory=list)  # Woken while the book stood.
    state: TradingState = TradingState.TRADING
    auction: TwinAuction | None = None
    trades: list[tuple[int, int, int]] = field(default_factory=list)  # (ms, ticks, lots), all.
    watched: list[tuple[int, int]] = field(default_factory=list)  # (ms, ticks) for its breaker.
    last_ticks: int | None = None

    @property
    def resting(self) -> list[TwinOrder]:
        """What rests on the book, in order of arrival, both sides mixed."""
        return cast(list[TwinOrder], self.book.resting)

    @property
    def is_spot(self) -> bool:
        return self.symbol == PAIR

    @property
    def collects(self) -> bool:
        return self.auction is not None

    @property
    def stands(self) -> bool:
        return self.state in STANDING

    @property
    def last_e8(self) -> int | None:
        return None if self.last_ticks is None else self.last_ticks * TICK_E8

    def best_ticks(self, side: Side) -> int | None:
        """The best price of a side."""
        prices = [order.price_ticks for order in self.resting if order.side is side]
        return (max(prices) if side is Side.BUY else min(prices)) if prices else None


class TwinState:
    """Everything the twin knows."""

    def __init__(self, bounds: dict[str, Bounds], start_ms: int) -> None:
        self.boards = {symbol: Board(symbol, each) for symbol, each in bounds.items()}
        self.now_ms = start_ms
        self.grid_ms = start_ms  # The last grid point that was run.
        self.index_e8: int | None = None
        self.fed_e8: int | None = None  # What the index becomes at the next grid point.
        self.next_order_id = 1
        self.next_list_id = 1
        self.next_auction = 1
        self.positions: dict[int, int] = {}  # Signed lots, by account.
        self.lists: dict[int, TwinList] = {}
        self.due: list[int] = []  # Lists to be looked at.
        self.fired: list[TwinOrder] = []  # Woken orders whose turn comes.
        self.moved: list[int] = []  # Accounts whose reduce-only orders may be too large.
        self.tripped: list[str] = []
        self.countdowns: dict[tuple[int, str], int] = {}
        self.told: list[Told] = []
        self.before: dict[int, tuple[int, int, int]] = {}  # To be told with the order's next news.

    # -- what may be asked ---------------------------------------------------------------------

    def collecting(self) -> list[Board]:
        """The boards on which orders are collected, in the order in which that began."""
        found = [(b.auction.number, b) for b in self.boards.values() if b.auction is not None]
        return [board for _, board in sorted(found, key=lambda each: each[0])]

    def mark_e8(self, board: Board) -> int | None:
        """Of a contract its index, for no sample is ever taken; a pair has none."""
        return None if board.is_spot else self.index_e8

    def price_e8(self, board: Board, source: TriggerSource) -> int | None:
        """What wakes the orders that wait for this source."""
        return board.last_e8 if source is TriggerSource.LAST else self.mark_e8(board)

    def reference_e8(self, board: Board) -> int:
        """What filters measure by: index or mark, else the average, else the last trade."""
        if self.index_e8 is not None:
            return self.index_e8
        if not board.is_spot or board.last_ticks is None:
            return 0
        first = self.now_ms // SLOT_MS - WINDOW_SLOTS
        recent = [(t, n) for ms, t, n in board.trades if ms // SLOT_MS > first]
        if not recent:
            return board.last_ticks * TICK_E8
        return sum(t * n for t, n in recent) * TICK_E8 // sum(n for _, n in recent)

    def open_orders(self, account_id: int, symbol: str = "") -> list[TwinOrder]:
        """What an account has open, oldest first."""
        found: list[TwinOrder] = []
        for board in self.boards.values():
            if symbol in ("", board.symbol):
                every = [*board.resting, *board.asleep]
                found += [each for each in every if each.account_id == account_id]
        return sorted(found, key=lambda order: order.order_id)

    def open_order(self, account_id: int, order_id: int) -> TwinOrder | None:
        """One of them."""
        found = [each for each in self.open_orders(account_id) if each.order_id == order_id]
        return found[0] if found else None

    def closes(self, order: TwinOrder) -> bool:
        """Whether an order's side is the one that makes its account's position smaller."""
        held = 0 if order.symbol == PAIR else self.positions.get(order.account_id, 0)
        return held > 0 if order.side is Side.SELL else held < 0

    # -- what is told --------------------------------------------------------------------------

    def tell_order(self, order: TwinOrder, happening: str) -> None:
        """An order as it stands now, and what it was before its owner changed it."""
        before = self.before.pop(order.order_id, None)
        self.told.append(
            (
                *("order", happening, order.account_id, order.order_id, order.symbol),
                *(order.side.name, order.type.name, order.tif.name),
                *(order.price_ticks, order.lots, order.filled_lots, order.filled_units),
                *(order.prevented_lots, order.open_lots, order.status, order.reason),
                *(order.trigger_ticks, order.triggered_ms, order.iceberg_lots, order.list_id),
                *(order.post_only, order.reduce_only, order.placed_ms),
                None if happening == "rejected" else before,
            )
        )

    def tell_list(self, each: TwinList) -> None:
        """A list as it stands now."""
        legs = [(leg.order.order_id if leg.order else 0, leg.status) for leg in each.legs]
        self.told.append(
            (
                *("list", each.account_id, each.list_id, each.symbol, each.kind, each.status),
                *(each.reason, legs, each.bracket),
            )
        )

    def note_list(self, order: TwinOrder) -> None:
        """Something befell a leg: its list is looked at when the match is over."""
        if order.list_id and order.list_id not in self.due:
            self.due.append(order.list_id)


def happened_to(order: TwinOrder) -> str:
    """The word for what an order has become."""
    words = {"NEW": "accepted", "PARTIALLY_FILLED": "filled", "FILLED": "filled"}
    words |= {"CANCELLED": "cancelled", "REJECTED": "rejected"}
    return words.get(order.status, "expired")


def dated(orders: list[TwinOrder], now_ms: int) -> list[TwinOrder]:
    """Those that are past their date, in the order of their dates."""
    late = [o for o in orders if o.tif is TimeInForce.GTD and o.expire_ms <= now_ms]
    return sorted(late, key=lambda order: (order.expire_ms, order.order_id))
