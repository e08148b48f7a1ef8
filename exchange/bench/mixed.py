"""The mixed flow: accounts that ask for all that an exchange does, the same for the same seed.

Commands are made beforehand, a chunk at a time.  Between two chunks the flow looks at the engine
for the orders that are open, as clients know their own, so a run is a function of its seed and
sizes and of the engine's own answers.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from random import Random
from typing import Any, Final, TypeVar

import msgspec

from exchange.commands import (
    BORROW,
    BORROW_AND_REPAY,
    NO_SIDE_EFFECT,
    REPAY,
    AdjustPositionMargin,
    AmendOrder,
    AnyCommand,
    Borrow,
    CancelAll,
    CancelOrder,
    Continue,
    FeedPrices,
    OpenAccount,
    PlaceOrder,
    Repay,
    SetLeverage,
    SetMarginLeverage,
    SetMarginMode,
    Transfer,
)
from exchange.engine import Engine
from exchange.venue import default_venue
from matching.instrument import Instrument
from matching.limits import MINOR_PER_UNIT
from matching.types import MARKET_TYPES, Order, OrderType, Side, TimeInForce, TriggerSource
from risk.account import PERP, isolated_wallet
from risk.ledger import FIRST_ACCOUNT
from risk.parameters import HOUR_MS, Grant, Venue

ONE_E8: Final = MINOR_PER_UNIT
HOUR_AT_MS: Final = 1_700_006_400_000  # 15 November 2023, 00:00 UTC: funding and interest fall due.
LEVERAGES: Final = (2, 5, 10, 20, 50, 100)
SPOTS: Final = ("BTC-USDT", "ETH-USDT", "SOL-USDT", "DOGE-USDT", "ETH-BTC")
SPOT_GRANTS: Final = {"USDT": 200_000, "BTC": 4, "ETH": 80, "SOL": 2_000, "DOGE": 200_000}
MARGIN_GRANTS: Final = {"USDT": 30_000, "ETH": 4}
ISOLATED_GRANT_USDT: Final = 5_000
PERP_GRANT_USDT: Final = 40_000
COIN_GRANT: Final = 2  # Of the coin, for contracts that settle in it.
SIZE_USDT: Final = (20, 3_000)
RESTING_USDT: Final = (100, 800)
JUMP_EVERY_S: Final = 10  # Of exchange time, on average;
JUMP_E4_MAX: Final = 400  # of four percent at most.
PAST_MEANS_USDT: Final = 500_000_000  # An order nobody can pay for.

# How often each act comes up, in thousandths.  `limit` becomes `cancel` the likelier the more
# orders rest, so that the books keep their size.
WEIGHTS: Final = {
    "limit": 526,
    "post_only": 80,
    "good_till": 20,
    "ioc": 90,
    "market": 70,
    "reduce_only": 30,
    "stop": 24,
    "amend": 60,
    "cancel_all": 2,
    "borrow": 12,
    "repay": 12,
    "transfer": 24,
    "leverage": 12,
    "position_margin": 8,
    "margin_leverage": 4,
    "margin_mode": 4,
    "past_means": 12,
    "unknown_order": 10,
}
PERPS_OF_100: Final = 46  # Of a hundred orders so many are for contracts,
CASH_OF_100: Final = 50  # and of those on spot so many are paid in cash,
CROSS_OF_100: Final = 25  # so many from cross margin; the rest from isolated margin.
NAMED_OF_100: Final = 30  # Orders that carry a client id.
_ORDER_SIDE_EFFECTS: Final = (NO_SIDE_EFFECT, BORROW, BORROW, REPAY, BORROW_AND_REPAY)

T = TypeVar("T")


def mixed_venue(seed: int, commands: int, commands_per_s: int) -> Venue:
    """The default venue, opened so that the run crosses a funding and an interest boundary in its
    middle, with accounts that have something in every kind of wallet."""
    start_ms = HOUR_AT_MS - max(2_000, commands * 500 // commands_per_s // 1_000 * 1_000)
    venue = default_venue(seed=seed, start_ms=start_ms, funding_interval_ms=HOUR_MS)
    grants = [
        *(Grant("spot", asset, units * ONE_E8) for asset, units in SPOT_GRANTS.items()),
        *(Grant("margin", asset, units * ONE_E8) for asset, units in MARGIN_GRANTS.items()),
        *(Grant(isolated_wallet(s), "USDT", ISOLATED_GRANT_USDT * ONE_E8) for s in SPOTS[:3]),
        Grant(PERP, "USDT", PERP_GRANT_USDT * ONE_E8),
    ]
    coins = {each.settle for each in venue.instruments if each.kind == "inverse"}
    grants += [Grant(f"{PERP}:{coin}", coin, COIN_GRANT * ONE_E8) for coin in sorted(coins)]
    return msgspec.structs.replace(venue, deposits=tuple(grants))


class MixedFlow:
    """Makes the commands of one run, stamped in order."""

    def __init__(
        self, venue: Venue, *, accounts: int, orders: int, seed: int, commands_per_s: int
    ) -> None:
        assert accounts > 0
        self.accounts = accounts
        self.orders = orders
        self._random = Random(seed)
        self._per_s = commands_per_s
        self._feeds = venue.feeds
        self._by_symbol = {each.symbol: each for each in venue.instruments}
        self._spots = [self._by_symbol[symbol] for symbol in SPOTS]
        self._perps = [each for each in venue.instruments if each.kind != "spot"]
        self._usdt_e8 = {each.asset: each.start_price_e8 for each in venue.assets}
        self._start_e8 = dict(self._usdt_e8)
        self._usdt_e8.setdefault("USD", ONE_E8)
        self._seq = 0
        self._start_ms = venue.start_ms
        self._clocked = 0  # Commands that let exchange time pass.
        self._second = 0
        self._open: list[Order] = []
        self._words = 0
        self._names = list(WEIGHTS)
        self._sums = list(accumulate(WEIGHTS.values()))

    # -- before the run ------------------------------------------------------------------------

    def opening(self) -> Iterator[AnyCommand]:
        """Prices, a second for them to become marks, accounts, and for each of those a contract it
        trades with isolated margin."""
        yield from self._prices()
        self._start_ms += 1_000
        for number in range(self.accounts):
            yield self._made(OpenAccount, label=f"account {number}")
        for number in range(self.accounts):
            account_id = FIRST_ACCOUNT + number
            symbol = self._perps[number % len(self._perps)].symbol
            leverage = LEVERAGES[number % len(LEVERAGES)]
            yield self._made(SetMarginMode, account_id=account_id, symbol=symbol, isolated=True)
            yield self._made(SetLeverage, account_id=account_id, symbol=symbol, leverage=leverage)

    def resting(self) -> Iterator[AnyCommand]:
        """The orders that rest before the run, on all books, between 0.7 and 3.7 % away.

        So many rest there that takers would eat through small ones: they are of the usual size.
        """
        for number in range(self.orders):
            account_id = FIRST_ACCOUNT + number % self.accounts
            instruments = self._perps if number // self.accounts % 2 else self._spots
            instrument = instruments[number // (2 * self.accounts) % len(instruments)]
            side = Side(number // (2 * self.accounts * len(instruments)) % 2)
            away_e5 = 700 + self._below(3_000)
            yield self._order(
                account_id, instrument, side, away_e5, self._usdt(*RESTING_USDT), post_only=True
            )

    def more(self) -> AnyCommand:
        """One slice of the work that is pending."""
        return self._made(Continue)

    # -- the run -------------------------------------------------------------------------------

    def chunk(self, engine: Engine, count: int) -> list[AnyCommand]:
        """The next `count` commands, after a look at the orders that are open now."""
        trading = engine.trading
        self._open = [
            order
            for symbol in sorted(engine.books)
            for orders in (trading.books[symbol].orders, trading.triggers[symbol].orders)
            for order in orders.values()
        ]
        made: list[AnyCommand] = []
        while len(made) < count:
            self._clocked += 1
            second = self._clocked // self._per_s
            if second > self._second:
                self._second = second
                made += self._prices()
            else:
                made.append(self._act())
        return made

    def _act(self) -> AnyCommand:
        name = self._names[bisect(self._sums, self._below(self._sums[-1]))]
        if name == "limit" and self._below(len(self._open) + self.orders + 1) < len(self._open):
            name = "cancel"
        acts: dict[str, Callable[[int], AnyCommand]] = {
            "stop": self._stop,
            "cancel": self._cancel,
            "amend": self._amend,
            "cancel_all": self._cancel_all,
            "borrow": self._borrow,
            "repay": self._repay,
            "transfer": self._transfer,
            "leverage": self._leverage,
            "position_margin": self._position_margin,
            "margin_leverage": self._margin_leverage,
            "margin_mode": self._margin_mode,
            "unknown_order": self._unknown_order,
        }
        account_id = FIRST_ACCOUNT + self._below(self.accounts)
        act = acts.get(name)
        return act(account_id) if act else self._place(account_id, name)

    def _prices(self) -> list[AnyCommand]:
        """A second passes: every price moves a little, and now and then one of them a lot."""
        for asset, start_e8 in self._start_e8.items():
            if asset != "USDT":
                price_e8 = self._usdt_e8[asset]
                step_e8 = price_e8 * (self._below(17) - 8) // 10_000
                back_e8 = (start_e8 - price_e8) // 500
                self._usdt_e8[asset] = price_e8 + step_e8 + back_e8
        if self._below(JUMP_EVERY_S) == 0:
            asset = self._pick(("BTC", "ETH", "SOL", "DOGE"))
            jump_e4 = self._below(2 * JUMP_E4_MAX + 1) - JUMP_E4_MAX
            self._usdt_e8[asset] = self._usdt_e8[asset] * (10_000 + jump_e4) // 10_000
        prices = {each: self._usdt_e8[each] for each in self._start_e8 if each != "USDT"}
        return [
            self._made(FeedPrices, feed=feed, prices_e8=prices, stale_ms=60_000)
            for feed in self._feeds
        ]

    # -- orders --------------------------------------------------------------------------------

    def _place(self, account_id: int, name: str) -> AnyCommand:
        side = Side(self._below(2))
        perp = name == "reduce_only" or self._below(100) < PERPS_OF_100
        instrument = self._pick(self._perps if perp else self._spots)
        away_e5 = 5 + self._below(600) * self._below(600) // 600
        more: dict[str, Any] = {} if perp else self._spot_wallet(instrument)
        if perp and self._below(30) == 0:
            more["leverage"] = self._pick(LEVERAGES)
        if self._below(100) < NAMED_OF_100:
            self._words += 1
            more["client_id"] = f"order-{self._words}"
        size_minor = self._usdt(*SIZE_USDT)
        if name == "past_means":
            size_minor = PAST_MEANS_USDT * ONE_E8
        elif name == "post_only":
            more["post_only"] = True
        elif name == "good_till":
            more |= {"tif": TimeInForce.GTD, "expire_ms": self._now_ms + 30_000}
        elif name == "reduce_only":
            more |= {"reduce_only": True, "tif": self._pick((TimeInForce.GTC, TimeInForce.IOC))}
        elif name in ("ioc", "market"):
            more["tif"] = TimeInForce.IOC
            away_e5 = -100
            if name == "market":
                more["type"] = OrderType.MARKET
        return self._order(account_id, instrument, side, away_e5, size_minor, **more)

    def _stop(self, account_id: int) -> AnyCommand:
        """Half of them trade a contract at the market when its mark turns, half buy or sell spot
        at a limit once the last price has gone so far."""
        side = Side(self._below(2))
        perp = self._below(2) == 0
        instrument = self._pick(self._perps if perp else self._spots)
        beyond_e5 = -(50 + self._below(950))
        trigger_ticks = self._ticks(instrument, side, beyond_e5)
        more: dict[str, Any] = {"type": OrderType.STOP_LIMIT, "trigger_ticks": trigger_ticks}
        if perp:
            more |= {"type": OrderType.STOP, "trigger": TriggerSource.MARK}
            more["reduce_only"] = self._below(3) == 0
        size_minor = self._usdt(*SIZE_USDT)
        return self._order(account_id, instrument, side, beyond_e5 - 50, size_minor, **more)

    def _spot_wallet(self, instrument: Instrument) -> dict[str, Any]:
        """Cash for about half of the orders on spot, margin of either kind for the rest."""
        draw = self._below(100)
        if draw < CASH_OF_100:
            return {}
        effect = self._pick(_ORDER_SIDE_EFFECTS)
        if draw < CASH_OF_100 + CROSS_OF_100 or instrument not in self._spots[:3]:
            return {"wallet": "margin", "side_effect": effect}
        return {"wallet": isolated_wallet(instrument.symbol), "side_effect": effect}

    def _order(
        self,
        account_id: int,
        instrument: Instrument,
        side: Side,
        away_e5: int,
        size_minor: int,
        **more: Any,
    ) -> AnyCommand:
        """An order at some distance from the price, in 10^-5 of it (negative: beyond it)."""
        price_ticks = self._ticks(instrument, side, away_e5)
        if instrument.kind == "inverse":
            lots = size_minor // instrument.face_minor
        else:
            lots = size_minor * ONE_E8 // (self._usdt_e8[instrument.base] * instrument.lot_minor)
        if instrument.kind != "spot":
            more["wallet"] = PERP
        if more.get("type") in MARKET_TYPES:
            price_ticks = 0
        return self._made(
            PlaceOrder,
            account_id=account_id,
            symbol=instrument.symbol,
            side=side,
            lots=max(1, lots),
            price_ticks=price_ticks,
            **more,
        )

    def _ticks(self, instrument: Instrument, side: Side, away_e5: int) -> int:
        """The price at some distance on an order's own side, in 10^-5 (negative: beyond it)."""
        price_e8 = self._usdt_e8[instrument.base] * ONE_E8 // self._usdt_e8[instrument.quote]
        away = -away_e5 if side is Side.BUY else away_e5
        return max(1, price_e8 * (100_000 + away) // 100_000 // instrument.tick_e8)

    def _some_order(self) -> Order | None:
        """An order that was open when the chunk began, each at most once a chunk."""
        if not self._open:
            return None
        place = self._below(len(self._open))
        self._open[place], self._open[-1] = self._open[-1], self._open[place]
        return self._open.pop()

    def _cancel(self, account_id: int) -> AnyCommand:
        order = self._some_order()
        if order is None:
            return self._unknown_order(account_id)
        return self._made(CancelOrder, account_id=order.account_id, order_id=order.order_id)

    def _unknown_order(self, account_id: int) -> AnyCommand:
        return self._made(CancelOrder, account_id=account_id, order_id=self._below(1 << 40))

    def _amend(self, account_id: int) -> AnyCommand:
        """Half of the amendments take from the quantity, half move the price."""
        order = self._some_order()
        if order is None:
            return self._unknown_order(account_id)
        change = {"lots": max(1, order.lots * 3 // 4)}
        if self._below(2):
            ticks = 1 + self._below(5)
            change = {
                "price_ticks": order.price_ticks + (-ticks if order.side is Side.BUY else ticks)
            }
        return self._made(
            AmendOrder, account_id=order.account_id, order_id=order.order_id, **change
        )

    def _cancel_all(self, account_id: int) -> AnyCommand:
        return self._made(CancelAll, account_id=account_id, symbol=self._pick(SPOTS))

    # -- money and settings --------------------------------------------------------------------

    def _margin_wallet(self) -> str:
        return self._pick(("margin", *(isolated_wallet(symbol) for symbol in SPOTS[:3])))

    def _borrow(self, account_id: int) -> AnyCommand:
        return self._made(
            Borrow,
            account_id=account_id,
            wallet=self._margin_wallet(),
            asset="USDT",
            amount_minor=self._usdt(50, 3_000),
        )

    def _repay(self, account_id: int) -> AnyCommand:
        return self._made(
            Repay,
            account_id=account_id,
            wallet=self._margin_wallet(),
            asset="USDT",
            amount_minor=self._usdt(50, 3_000),
        )

    def _transfer(self, account_id: int) -> AnyCommand:
        ends = ["spot", self._pick(("margin", PERP))]
        if self._below(2):
            ends.reverse()
        return self._made(
            Transfer,
            account_id=account_id,
            source=ends[0],
            target=ends[1],
            asset="USDT",
            amount_minor=self._usdt(10, 1_000),
        )

    def _leverage(self, account_id: int) -> AnyCommand:
        symbol = self._pick(self._perps).symbol
        leverage = self._pick(LEVERAGES)
        return self._made(SetLeverage, account_id=account_id, symbol=symbol, leverage=leverage)

    def _position_margin(self, account_id: int) -> AnyCommand:
        symbol = self._perps[(account_id - FIRST_ACCOUNT) % len(self._perps)].symbol
        amount = self._usdt(1, 50) * (1 - 2 * self._below(2))
        return self._made(
            AdjustPositionMargin, account_id=account_id, symbol=symbol, amount_minor=amount
        )

    def _margin_leverage(self, account_id: int) -> AnyCommand:
        leverage = self._pick((3, 5))
        return self._made(SetMarginLeverage, account_id=account_id, leverage=leverage)

    def _margin_mode(self, account_id: int) -> AnyCommand:
        symbol = self._pick(self._perps).symbol
        isolated = bool(self._below(2))
        return self._made(SetMarginMode, account_id=account_id, symbol=symbol, isolated=isolated)

    # -- draws and stamps ----------------------------------------------------------------------

    def _below(self, bound: int) -> int:
        """A whole number from 0 up to a bound; `random()` alone is the same in every Python."""
        return int(self._random.random() * bound)

    def _pick(self, among: Sequence[T]) -> T:
        return among[self._below(len(among))]

    def _usdt(self, least: int, most: int) -> int:
        """An amount of USDT in minor units, small ones likelier than large ones."""
        draw = self._random.random()
        return int((least + (most - least) * draw * draw) * 100) * (ONE_E8 // 100)

    @property
    def _now_ms(self) -> int:
        return self._start_ms + self._clocked * 1_000 // self._per_s

    def _made(self, kind: Callable[..., AnyCommand], **fields: Any) -> AnyCommand:
        self._seq += 1
        return kind(seq=self._seq, time_ms=self._now_ms, **fields)
