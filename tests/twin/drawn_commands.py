"""Commands drawn at random, with an eye on what is open: most are sensible, some are not."""

from __future__ import annotations

from random import Random
from typing import Any

from msgspec.structs import replace

from exchange.commands import (
    ALLOW_FAILURE,
    STOP_ON_FAILURE,
    AmendOrder,
    AnyCommand,
    CancelAll,
    CancelOrder,
    CancelReplace,
    Exit,
    FeedPrices,
    PlaceList,
    PlaceOrder,
    SetCountdown,
    SetIndexPrice,
    SetSymbolState,
    Tick,
)
from matching.lists import ListKind
from matching.types import OrderType, SelfTrade, Side, TimeInForce, TradingState, TriggerSource
from tests.story import FOREVER_MS
from tests.twin.duel import Duel
from tests.twin.market import E8, PAIR, PERP, TICK_E8
from tests.twin.twin_state import MARKETS, SLEEPERS, STOPS, TwinState

FIRST_TICKS = 500
SIZES = (1, 2, 3, 4, 6, 9, 15, 30)


class Dice:
    """Draws a command for a duel as it stands."""

    def __init__(self, random: Random, duel: Duel, subjects: dict[str, int]) -> None:
        self.random, self.duel = random, duel
        self.names = [name for name, weight in subjects.items() for _ in range(weight)]

    @property
    def twin(self) -> TwinState:
        return self.duel.twin

    def one_in(self, n: int) -> bool:
        return self.random.randrange(n) == 0

    def draw(self) -> AnyCommand:
        """The next command."""
        name = self.random.choice(self.names)
        command: AnyCommand = getattr(self, name)()
        return command

    def wait_ms(self) -> int:
        """How long it is until then; mostly no time at all."""
        return self.random.choice((0, 0, 0, 0, 1, 150, 900, 2_500))

    # -- parts of an order ---------------------------------------------------------------------

    def middle_ticks(self, symbol: str) -> int:
        """About where an instrument trades."""
        last = self.twin.boards[symbol].last_ticks
        if symbol == PERP or last is None or self.one_in(3):
            return (self.twin.index_e8 or FIRST_TICKS * TICK_E8) // TICK_E8
        return last

    def ticks(self, symbol: str, reach: int = 6) -> int:
        """A price near there, now and then one far off."""
        if self.one_in(60):
            return self.random.choice((0, 299, 300, 410, 560, 605, 799, 800, 801))
        return self.middle_ticks(symbol) + self.random.randint(-reach, reach)

    def lots(self) -> int:
        if self.one_in(60):
            return self.random.choice((0, 26, 37, 39, 41))
        return self.random.choice(SIZES)

    def basis(self) -> dict[str, Any]:
        """Who trades what, how much of it, and what a self-trade does."""
        symbol = self.random.choice((PAIR, PERP))
        perp = symbol == PERP
        return {
            "account_id": self.random.choice(self.duel.people),
            "symbol": symbol,
            "wallet": "perp" if perp else "spot",
            "side": self.random.choice(tuple(Side)),
            "lots": self.lots(),
            "stp": self.random.choice(tuple(SelfTrade)),
            "reduce_only": self.one_in(4) if perp else self.one_in(200),
        }

    def date(self) -> dict[str, Any]:
        """A date ahead, mostly."""
        ahead = self.random.choice((500, 1_500, 4_000, 4_000, 9_000))
        expire_ms = self.duel.now_ms + (-1 if self.one_in(12) else ahead)
        return {"tif": TimeInForce.GTD, "expire_ms": 0 if self.one_in(15) else expire_ms}

    # -- orders --------------------------------------------------------------------------------

    def limit(self) -> PlaceOrder:
        """A limit order of any time in force."""
        fields = self.basis()
        fields["price_ticks"] = self.ticks(fields["symbol"])
        fields["tif"] = self.random.choice((TimeInForce.GTC, TimeInForce.GTC, *TimeInForce))
        if fields["tif"] is TimeInForce.GTD:
            fields |= self.date()
        fields["post_only"] = self.one_in(6)
        return PlaceOrder(**fields)

    def market(self) -> PlaceOrder:
        """A market order, by lots or by amount."""
        fields = self.basis() | {"type": OrderType.MARKET}
        if self.one_in(3):
            fields["lots"] = self.lots() if self.one_in(20) else 0
            amount = self.random.choice((7, 60 * E8, 170 * E8, 333 * E8, 900 * E8, 1_790 * E8))
            fields |= {"quote_minor": amount, "reduce_only": self.one_in(12)}
        fields["price_ticks"] = 500 if self.one_in(40) else 0
        return PlaceOrder(**fields)

    def iceberg(self) -> PlaceOrder:
        """A limit order that shows a part of itself."""
        fields = self.basis() | {"lots": self.random.choice((4, 9, 15, 30))}
        part = self.random.choice((2, 3, 4, 4, 5))
        fields["iceberg_lots"] = fields["lots"] + 1 if self.one_in(25) else fields["lots"] // part
        fields["price_ticks"] = self.ticks(fields["symbol"], 4)
        fields["tif"] = TimeInForce.IOC if self.one_in(20) else TimeInForce.GTC
        return PlaceOrder(**fields)

    def stop(self) -> PlaceOrder:
        """A stop or take-profit, of the last price or the mark."""
        fields = self.basis() | {"type": self.random.choice(SLEEPERS[:4])}
        symbol = fields["symbol"]
        fields["trigger_ticks"] = self.ticks(symbol, 9)
        limited = fields["type"] not in MARKETS
        fields["price_ticks"] = self.ticks(symbol) if limited or self.one_in(40) else 0
        fields |= self._of_contracts(symbol)
        fields["tif"] = self.random.choice((TimeInForce.GTC, TimeInForce.GTC, *TimeInForce))
        if fields["tif"] is TimeInForce.GTD:
            fields |= self.date()
        if symbol == PERP and self.one_in(4):
            fields |= {"close_position": True, "reduce_only": False}
            fields["lots"] = fields["lots"] if self.one_in(12) else 0
        fields["post_only"] = limited and self.one_in(8)
        return PlaceOrder(**fields)

    def trail(self) -> PlaceOrder:
        """An order that follows the price, at once or from a trigger on."""
        kinds = (OrderType.TRAILING_STOP, OrderType.TRAILING_STOP, OrderType.STOP_LIMIT)
        fields = self.basis() | {"type": self.random.choice((*kinds, OrderType.TAKE_PROFIT))}
        symbol = fields["symbol"]
        bps = self.random.choice((20, 40, 60, 100, 250))
        fields["trailing_bps"] = self.random.choice((0, 9, 2_001)) if self.one_in(20) else bps
        fields["trigger_ticks"] = self.random.choice((0, self.ticks(symbol)))
        limited = fields["type"] is OrderType.STOP_LIMIT
        fields["price_ticks"] = self.ticks(symbol) if limited else 0
        return PlaceOrder(**fields | self._of_contracts(symbol))

    def _of_contracts(self, symbol: str) -> dict[str, Any]:
        if symbol == PAIR and not self.one_in(50):
            return {}
        source = self.random.choice(tuple(TriggerSource))
        return {"trigger": source, "price_protect": self.one_in(3)}

    def bracket(self) -> PlaceOrder:
        """An order that brings its exits."""
        makes = self.random.choice((self.limit, self.limit, self.market, self.stop))
        wish = makes()
        sign = 1 if wish.side is Side.BUY else -1
        middle = wish.price_ticks or self.middle_ticks(wish.symbol)
        gain, loss = (self._exit(wish, middle + sign * away * f) for away, f in ((1, 1), (1, -1)))
        which = self.random.randrange(4)
        return replace(
            wish,
            reduce_only=wish.reduce_only and self.one_in(6),
            take_profit=gain if which != 1 else None,
            stop_loss=loss if which != 2 else None,
        )

    def _exit(self, wish: PlaceOrder, ticks: int) -> Exit:
        trigger_ticks = ticks + self.random.choice((-4, -2, -1, 0, 1, 2, 4))
        marked = wish.symbol == PERP or self.one_in(60)
        trigger = self.random.choice(tuple(TriggerSource)) if marked else TriggerSource.LAST
        if self.one_in(40):
            trigger_ticks = self.random.choice((0, 100, 900))
        return Exit(trigger_ticks, self.random.choice((0, self.ticks(wish.symbol))), trigger)

    # -- lists ---------------------------------------------------------------------------------

    def listed(self) -> PlaceList:
        """An OCO, an OTO or an OTOCO, and now and then what is none."""
        kind = self.random.choice(tuple(ListKind))
        working = self.random.choice((self.limit, self.limit, self.market))()
        side = working.side.opposite
        limit, stop = self._pair(replace(working, side=side))
        if working.type is OrderType.LIMIT and self.one_in(2):  # It is filled at once, mostly.
            working = replace(working, price_ticks=working.price_ticks + (6, -6)[working.side])
        other = self.random.choice((limit, stop, self._other(working, side)))
        orders = {
            ListKind.OCO: [limit, stop],
            ListKind.OTO: [working, other],
            ListKind.OTOCO: [working, limit, stop],
        }[kind]
        if self.one_in(25):
            orders = self.random.choice((orders[:1], orders[::-1], [*orders, limit]))
        return PlaceList(account_id=working.account_id, kind=int(kind), orders=orders)

    def _pair(self, wish: PlaceOrder) -> tuple[PlaceOrder, PlaceOrder]:
        """The legs of an OCO around the last price."""
        plain = replace(
            wish,
            type=OrderType.LIMIT,
            price_ticks=0,
            quote_minor=0,
            tif=TimeInForce.GTC,
            expire_ms=0,
            post_only=False,
            lots=wish.lots or 2,
        )
        sign, middle = (-1, 1)[wish.side], self.middle_ticks(wish.symbol)
        gain = middle + sign * self.random.choice((0, 1, 2, 3, 5))
        loss = middle - sign * self.random.choice((0, 1, 2, 3, 5))
        marked = wish.symbol == PERP and self.one_in(3)
        source = TriggerSource.MARK if marked else TriggerSource.LAST
        stop = replace(plain, type=OrderType.STOP, trigger_ticks=loss, trigger=source)
        if self.one_in(2):
            stop = replace(stop, type=OrderType.STOP_LIMIT, price_ticks=loss - sign)
        limit = replace(plain, price_ticks=gain, post_only=True)
        if self.one_in(3):
            limit = replace(limit, **self.date())
        if self.one_in(3):
            limit = replace(plain, type=OrderType.TAKE_PROFIT, trigger_ticks=gain, trigger=source)
        if self.one_in(30):
            stop = replace(stop, lots=stop.lots + 1)
        return limit, stop

    def _other(self, working: PlaceOrder, side: Side) -> PlaceOrder:
        """Any order of the same account on the same book."""
        wish = self.random.choice((self.limit, self.market, self.stop, self.trail))()
        same: dict[str, Any] = {"account_id": working.account_id, "symbol": working.symbol}
        return replace(wish, **same, wallet=working.wallet, side=side)

    # -- what is open --------------------------------------------------------------------------

    def _an_order(self) -> tuple[int, int]:
        """Of whom, and its id; now and then one that is not there."""
        account_id = self.random.choice(self.duel.people)
        orders = self.twin.open_orders(account_id)
        if not orders or self.one_in(25):
            return account_id, self.random.choice((10**6, max(1, self.twin.next_order_id - 1)))
        return account_id, self.random.choice(orders).order_id

    def cancel(self) -> CancelOrder:
        """One order, or a whole list."""
        account_id, order_id = self._an_order()
        order = self.twin.open_order(account_id, order_id)
        if order is not None and order.list_id and self.one_in(2):
            return CancelOrder(account_id=account_id, list_id=order.list_id)
        if self.one_in(30):
            return CancelOrder(account_id=account_id, list_id=self.random.randint(1, 10**4))
        return CancelOrder(account_id=account_id, order_id=order_id)

    def cancel_all(self) -> CancelAll:
        """Every order of an account, or because a countdown ran out."""
        account_id = self.random.choice(self.duel.people)
        symbol = self.random.choice(("", PAIR, PERP))
        set_ms = self.twin.countdowns.get((account_id, symbol), 0)
        countdown_ms = self.random.choice((0, 0, set_ms, 77))
        return CancelAll(account_id=account_id, symbol=symbol, countdown_ms=countdown_ms)

    def countdown(self) -> SetCountdown:
        """A countdown begins, or is called off."""
        account_id = self.random.choice(self.duel.people)
        symbol = self.random.choice(("", PAIR, PERP))
        at_ms = self.random.choice((0, self.duel.now_ms + 5_000))
        return SetCountdown(account_id=account_id, symbol=symbol, countdown_ms=at_ms)

    def amend(self) -> AmendOrder:
        """Another quantity, price or trigger; mostly just less."""
        account_id, order_id = self._an_order()
        order = self.twin.open_order(account_id, order_id)
        if order is None:
            return AmendOrder(account_id=account_id, order_id=order_id, lots=3)
        changes: dict[str, Any] = {}
        if self.one_in(2):
            changes["lots"] = max(1, order.lots + self.random.choice((-5, -2, -1, -1, 0, 3)))
        if self.one_in(3) or not changes:
            changes["price_ticks"] = self.ticks(order.symbol) if order.price_ticks else 0
        if order.type in SLEEPERS and (self.one_in(2) or not order.price_ticks):
            changes["trigger_ticks"] = self.ticks(order.symbol, 9)
        return AmendOrder(account_id=account_id, order_id=order_id, **changes)

    def cancel_replace(self) -> CancelReplace:
        """One order in the place of another, in both modes."""
        account_id, order_id = self._an_order()
        wish = replace(self.random.choice((self.limit, self.stop))(), account_id=account_id)
        mode = self.random.choice((STOP_ON_FAILURE, ALLOW_FAILURE))
        return CancelReplace(account_id=account_id, order_id=order_id, mode=mode, place=wish)

    # -- the venue -----------------------------------------------------------------------------

    def index(self) -> AnyCommand:
        """The index moves: at once, or at the next grid point."""
        price_e8 = (FIRST_TICKS * 2 + self.random.randint(-24, 24)) * TICK_E8 // 2
        if self.one_in(2):
            prices = {"BTC": price_e8}
            return FeedPrices(feed="reference", prices_e8=prices, stale_ms=FOREVER_MS)
        return SetIndexPrice(base="BTC", quote="USDT", price_e8=price_e8)

    def state(self) -> SetSymbolState:
        """An administrator opens, restricts or halts a book; mostly opens one."""
        symbol = self.random.choice((PAIR, PERP))
        states = [TradingState.TRADING] * 6 + [TradingState.AUCTION] * 2 + list(TradingState)
        return SetSymbolState(symbol=symbol, state=self.random.choice(states).name.lower())

    def collect(self) -> AnyCommand:
        """A book collects orders around few prices, and opens."""
        symbol = self.random.choice((PAIR, PERP))
        board = self.twin.boards[symbol]
        if board.auction is None or self.one_in(9):
            state = "auction" if board.auction is None else "trading"
            return SetSymbolState(symbol=symbol, state=state)
        wish = self.random.choice((self.limit, self.iceberg))()
        ticks = self.middle_ticks(symbol) + self.random.randint(-3, 3)
        where: dict[str, Any] = {"symbol": symbol, "wallet": "spot" if board.is_spot else "perp"}
        plain = {"reduce_only": False, "post_only": False, "tif": TimeInForce.GTC, "expire_ms": 0}
        return replace(wish, price_ticks=ticks, **where, **plain)

    def tick(self) -> Tick:
        """Nothing but time."""
        return Tick()

    def guard(self) -> PlaceOrder:
        """What closes an open position, as an order that can be had beside it."""
        account_id = self.random.choice(self.duel.people)
        held = self.twin.positions.get(account_id, 0)
        side = Side.SELL if held > 0 else Side.BUY
        sign = 1 if held > 0 else -1
        kind = self.random.choice((OrderType.LIMIT, OrderType.STOP, OrderType.TAKE_PROFIT))
        away = sign * self.random.randint(1, 6) * (-1 if kind in STOPS else 1)
        ticks = self.middle_ticks(PERP) + away
        wish = PlaceOrder(
            account_id=account_id, symbol=PERP, wallet="perp", side=side, type=kind, lots=0
        )
        if kind is OrderType.LIMIT:
            lots = self.random.choice(SIZES)
            return replace(wish, price_ticks=ticks, lots=lots, reduce_only=True)
        source = self.random.choice(tuple(TriggerSource))
        return replace(wish, trigger_ticks=ticks, trigger=source, close_position=True)
