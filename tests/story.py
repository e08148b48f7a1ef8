"""A venue in a few words, for tests: commands in, invariants checked after every one of them."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from exchange.commands import (
    AnyCommand,
    Continue,
    Deposit,
    FeedPrices,
    OpenAccount,
    PlaceOrder,
    SetIndexPrice,
    Tick,
)
from exchange.engine import Engine
from exchange.events import Answered, AnyEvent, Event
from exchange.venue import default_venue
from matching.instrument import minor
from matching.reasons import Reason
from matching.types import OrderType, Side, TimeInForce
from risk.account import Account
from risk.money import E12
from risk.parameters import FeeAsset, FeeSchedule, FeeTier, Venue

E = TypeVar("E", bound=Event)

START_MS = 1_700_006_400_000  # 15 November 2023, 00:00 UTC: a funding boundary and a full hour.
FOREVER_MS = 10**12


def units(text: str) -> int:
    """Decimal text as minor units (10^-8); a minus sign is allowed."""
    found = minor(text, signed=True)
    assert isinstance(found, int), text
    return found


def small_venue(**changes: Any) -> Venue:
    """BTC and ETH, spot and perpetual, at prices only an administrator moves; no gifts."""
    symbols = changes.pop(
        "symbols", ("BTC-USDT", "ETH-USDT", "ETH-BTC", "BTC-USDT-PERP", "ETH-USDT-PERP")
    )
    venue = default_venue(seed=1, start_ms=START_MS, symbols=symbols, prices="fixed")
    return msgspec.structs.replace(venue, **({"deposits": ()} | changes))


def venue_with(symbol: str, **changes: Any) -> Venue:
    """The small venue with one of its instruments changed."""
    venue = small_venue()
    instruments = tuple(
        msgspec.structs.replace(each, **changes) if each.symbol == symbol else each
        for each in venue.instruments
    )
    return msgspec.structs.replace(venue, instruments=instruments)


def flat_fees(
    spot_maker_e12: int = E12 // 1_000,
    spot_taker_e12: int = E12 // 1_000,
    perp_maker_e12: int = E12 * 2 // 10_000,
    perp_taker_e12: int = E12 * 5 // 10_000,
    asset: FeeAsset = "received",
) -> FeeSchedule:
    """A schedule of one tier: the same rates for everybody, whatever they trade."""
    return FeeSchedule(
        spot=(FeeTier(0, spot_maker_e12, spot_taker_e12),),
        perp=(FeeTier(0, perp_maker_e12, perp_taker_e12),),
        asset=asset,
    )


class Story:
    """Drives an engine; every command is followed by `check()` and by all its pending work."""

    def __init__(self, venue: Venue | None = None) -> None:
        self.venue = venue or small_venue()
        self.engine = Engine(self.venue)
        self.now_ms = self.venue.start_ms
        self.events: list[AnyEvent] = []  # Of the whole story.
        self.commands: list[AnyCommand] = []
        prices = {
            each.asset: each.start_price_e8
            for each in self.venue.assets
            if each.asset != self.venue.quote
        }
        self.do(FeedPrices, feed=self.venue.feeds[0], prices_e8=prices, stale_ms=FOREVER_MS)
        self.wait(1_000)

    def do(self, kind: type, /, **fields: Any) -> list[AnyEvent]:
        """Apply a command now, and what it leaves pending; all events, its answer last."""
        events = self._apply(kind, **fields)
        told = events[:-1]
        while self.engine.pending_work:
            told += self._apply(Continue)[:-1]
        return [*told, events[-1]]

    def _apply(self, kind: type, /, **fields: Any) -> list[AnyEvent]:
        command = kind(seq=self.engine.seq + 1, time_ms=self.now_ms, **fields)
        self.commands.append(command)
        events = self.engine.apply(command)
        self.engine.check()
        self.events += events
        return events

    def wait(self, ms: int) -> list[AnyEvent]:
        """Let exchange time pass."""
        self.now_ms += ms
        return self.do(Tick)

    # -- people --------------------------------------------------------------------------------

    def account(self, label: str = "someone", **deposits: str) -> int:
        """Open an account; deposits like `spot_USDT="1000"`."""
        account_id = answer(self.do(OpenAccount, label=label)).result_id
        for name, amount in deposits.items():
            wallet, asset = name.rsplit("_", 1)
            self.deposit(account_id, wallet, asset, amount)
        return account_id

    def deposit(self, account_id: int, wallet: str, asset: str, amount: str) -> None:
        """Fictional money."""
        self.ok(
            Deposit, account_id=account_id, wallet=wallet, asset=asset, amount_minor=units(amount)
        )

    def person(self, account_id: int) -> Account:
        """The account itself."""
        return self.engine.risk.accounts[account_id]

    # -- orders --------------------------------------------------------------------------------

    def place(
        self,
        account_id: int,
        side: Side,
        symbol: str,
        qty: str = "",
        price: str = "",
        **more: Any,
    ) -> list[AnyEvent]:
        """Place an order in decimal text; without a price, a market order."""
        instrument = self.engine.instruments[symbol]
        fields: dict[str, Any] = {
            "account_id": account_id,
            "symbol": symbol,
            "side": side,
            "type": OrderType.LIMIT if price else OrderType.MARKET,
            "wallet": "spot" if instrument.kind == "spot" else "perp",
            "tif": TimeInForce.GTC,
        }
        if qty:
            lots = instrument.lots(qty)
            assert isinstance(lots, int), lots
            fields["lots"] = lots
        if price:
            ticks = instrument.ticks(price)
            assert isinstance(ticks, int), ticks
            fields["price_ticks"] = ticks
        return self.do(PlaceOrder, **(fields | more))

    def buy(self, account_id: int, symbol: str, *args: str, **more: Any) -> list[AnyEvent]:
        """`place` a buy."""
        return self.place(account_id, Side.BUY, symbol, *args, **more)

    def sell(self, account_id: int, symbol: str, *args: str, **more: Any) -> list[AnyEvent]:
        """`place` a sale."""
        return self.place(account_id, Side.SELL, symbol, *args, **more)

    def index(self, base: str, price: str) -> list[AnyEvent]:
        """An administrator's price."""
        return self.do(SetIndexPrice, base=base, quote="USDT", price_e8=units(price))

    def ok(self, kind: type, /, **fields: Any) -> list[AnyEvent]:
        """`do`, and it must not be refused."""
        events = self.do(kind, **fields)
        assert answer(events).reason is None, (kind, fields, answer(events).reason)
        return events


def answer(events: list[AnyEvent]) -> Answered:
    """The answer to a command."""
    last = events[-1]
    assert isinstance(last, Answered)
    return last


def refusal(events: list[AnyEvent]) -> Reason | None:
    """Why a command was refused, if it was."""
    return answer(events).reason


def of(events: list[AnyEvent], kind: type[E]) -> list[E]:
    """The events of one kind."""
    return [event for event in events if isinstance(event, kind)]


def standing(engine: Engine) -> dict[str, Any]:
    """The whole state, but for the number and the moment of the last command."""
    state = engine.state()
    risk = {name: part for name, part in state["risk"].items() if name != "time_ms"}
    rest = {name: part for name, part in state.items() if name not in ("seq", "time_ms")}
    # As a snapshot has it: so that what is compared was copied.
    copied: dict[str, Any] = msgspec.msgpack.decode(msgspec.msgpack.encode(rest | {"risk": risk}))
    return copied


def again(engine: Engine) -> Engine:
    """The engine after a restart: its state through bytes and back."""
    state = msgspec.msgpack.decode(msgspec.msgpack.encode(engine.state()))
    return Engine.restored(engine.venue, state)
