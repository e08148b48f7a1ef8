"""The twin obeys commands: time first, then what is asked, then all that follows from it."""

from __future__ import annotations

from exchange.commands import (
    STOP_ON_FAILURE,
    AmendOrder,
    CancelAll,
    CancelOrder,
    CancelReplace,
    Command,
    FeedPrices,
    PlaceList,
    PlaceOrder,
    SetCountdown,
    SetIndexPrice,
    SetSymbolState,
)
from matching.types import TradingState, TriggerSource
from tests.twin.market import GRID_MS, PERP
from tests.twin.twin_amending import amend
from tests.twin.twin_asleep import look
from tests.twin.twin_auction import (
    NOTHING,
    end_auction,
    first_pair,
    found_price,
    indicate,
    order_state,
    prevented,
)
from tests.twin.twin_lists import carry_on, forgo, place, place_list
from tests.twin.twin_placing import wake
from tests.twin.twin_state import Board, Told, TwinOrder, TwinState, dated
from tests.twin.twin_trading import end, expire_first, lost, settle, trim_moved

Result = tuple[str | None, int]


class Twin(TwinState):
    """The whole model: a command in, what happened out."""

    def obey(self, command: Command) -> list[Told]:
        """All that a command leads to, until nothing is left to do; its answer last."""
        self.told = []
        while self.grid_ms + GRID_MS <= command.time_ms:
            self._pass_grid_point(self.grid_ms + GRID_MS)
        self.now_ms = command.time_ms
        reason, result_id, *more = self._do(command)
        self._calm_down()
        return [*self.told, ("answer", reason, result_id, *more)]

    def _do(self, command: Command) -> tuple:
        match command:
            case PlaceOrder():
                return self._place(command)
            case PlaceList():
                return place_list(self, command)
            case AmendOrder():
                return amend(self, command)
            case CancelOrder(list_id=0):
                return self._cancel(command.account_id, command.order_id)
            case CancelOrder():
                return self._cancel_list(command)
            case CancelAll():
                return self._cancel_all(command)
            case CancelReplace():
                return self._cancel_replace(command)
            case SetCountdown():
                self.countdowns[command.account_id, command.symbol] = command.countdown_ms
            case SetSymbolState():
                board = self.boards[command.symbol]
                return order_state(self, board, TradingState[command.state.upper()]), 0
            case SetIndexPrice():
                self.index_e8 = self.fed_e8 = command.price_e8
                look(self, self.boards[PERP], TriggerSource.MARK)
            case FeedPrices():
                self.fed_e8 = command.prices_e8["BTC"]
        return None, 0

    # -- time ----------------------------------------------------------------------------------

    def _pass_grid_point(self, now_ms: int) -> None:
        """Auctions whose time is over open; then dates, index and mark, and what these wake."""
        self.grid_ms = self.now_ms = now_ms
        for board in self.boards.values():
            if board.auction is not None and 0 < board.auction.until_ms <= now_ms:
                board.auction.opens = board.auction.back
        self._calm_down()
        for board in self.boards.values():
            expire_first(self, board)
        for board in self.boards.values():
            for order in dated(board.asleep, now_ms):
                end(self, order, "EXPIRED", "EXPIRED_BY_TIME")
        for board in self.collecting():
            indicate(self, board)
        if self.fed_e8 is not None:
            self.index_e8 = self.fed_e8
        look(self, self.boards[PERP], TriggerSource.MARK)
        self._calm_down()

    def _calm_down(self) -> None:
        """Auctions that open, lists whose legs moved, orders that woke, in this order (T11)."""
        trim_moved(self)
        while True:
            opening = [b for b in self.collecting() if b.auction and b.auction.opens is not None]
            if opening:
                self._uncross(opening[0])
            elif self.due:
                carry_on(self)
            elif self.fired:
                wake(self, self.fired.pop(0))
            else:
                return

    # -- what accounts ask ---------------------------------------------------------------------

    def _place(self, wish: PlaceOrder) -> Result:
        expire_first(self, self.boards[wish.symbol])
        return place(self, wish)

    def _cancel(self, account_id: int, order_id: int) -> Result:
        order = self.open_order(account_id, order_id)
        if order is None:
            return "UNKNOWN_ORDER", 0
        if self.boards[order.symbol].state is TradingState.HALT:
            return "SYMBOL_NOT_TRADING", 0
        end(self, order, "CANCELLED", "CANCELLED_BY_USER")
        return None, order_id

    def _cancel_list(self, wish: CancelOrder) -> Result:
        each = self.lists.get(wish.list_id)
        if each is None or each.account_id != wish.account_id:
            return "UNKNOWN_ORDER", 0
        if self.boards[each.symbol].state is TradingState.HALT:
            return "SYMBOL_NOT_TRADING", 0
        forgo(self, wish.list_id)
        for leg in each.legs:
            if leg.order is not None and leg.order.is_open:
                end(self, leg.order, "CANCELLED", "CANCELLED_BY_USER")
        return None, wish.list_id

    def _cancel_all(self, wish: CancelAll) -> Result:
        key = wish.account_id, wish.symbol
        if wish.countdown_ms:
            if self.countdowns.get(key, 0) != wish.countdown_ms:
                return None, 0
            del self.countdowns[key]
        orders = [
            order
            for order in self.open_orders(wish.account_id, wish.symbol)
            if wish.countdown_ms or self.boards[order.symbol].state is not TradingState.HALT
        ]
        for order in orders:
            if order.list_id:
                forgo(self, order.list_id)
            reason = "CANCEL_ALL_AFTER" if wish.countdown_ms else "CANCELLED_BY_USER"
            end(self, order, "CANCELLED", reason)
        return None, len(orders)

    def _cancel_replace(self, wish: CancelReplace) -> tuple:
        expire_first(self, self.boards[wish.place.symbol])
        reason, _ = self._cancel(wish.account_id, wish.order_id)
        if reason is None:
            return self._place(wish.place)
        if wish.mode == STOP_ON_FAILURE:
            return "CANCEL_REPLACE_STOPPED", 0, reason
        return *self._place(wish.place), reason

    # -- auctions ------------------------------------------------------------------------------

    def _uncross(self, board: Board) -> None:
        """Fill in price-time order at the one price; again while bids and asks still cross."""
        expire_first(self, board)
        assert board.auction is not None
        prices: list[int] = []
        while (found := found_price(self, board)) != NOTHING:
            ticks, _, left_lots = found
            done_lots = 0
            while (pair := first_pair(board, ticks)) is not None:
                done_lots += self._cross(board, *pair, ticks)
                trim_moved(self)
            if done_lots:
                prices.append(ticks)
                self.told.append(("uncrossed", board.symbol, ticks, done_lots, left_lots))
        assert board.auction.opens is not None
        end_auction(self, board, board.auction.opens, prices)

    def _cross(self, board: Board, maker: TwinOrder, taker: TwinOrder, ticks: int) -> int:
        """Let two orders meet; the lots they trade."""
        losses = prevented(maker, taker)
        if losses is None:
            lots = min(maker.shown_lots, taker.shown_lots)
            for order in (maker, taker):
                order.filled_lots += lots
                order.filled_units += lots * ticks
                board.book.consume(order, lots)
                order.status = "PARTIALLY_FILLED" if order.open_lots else "FILLED"
            settle(self, board, (maker, taker), ticks, lots, auction=True)
            self.tripped.clear()
            return lots
        for order, lots in zip((maker, taker), losses, strict=True):
            order.prevented_lots += lots
            board.book.consume(order, lots)
            if not order.open_lots:
                order.end("EXPIRED_IN_MATCH", "SELF_TRADE")
        for order, lots in zip((maker, taker), losses, strict=True):
            lost(self, order, lots)
        return 0


def levels(board: Board) -> dict[str, list[tuple[int, int]]]:
    """What is on view of a book: (ticks, lots) of each side, best first."""
    found: dict[str, list[tuple[int, int]]] = {}
    for name, sign in (("BUY", -1), ("SELL", 1)):
        totals: dict[int, int] = {}
        for order in board.resting:
            if order.side.name == name:
                totals[order.price_ticks] = totals.get(order.price_ticks, 0) + order.shown_lots
        found[name] = sorted(totals.items(), key=lambda level: sign * level[0])
    return found
