"""What the house agents see at one moment: prints, books, their accounts; read, never changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from exchange.commands import PlaceOrder
from exchange.engine import Engine
from exchange.market.prices import PriceSource
from matching.book import Book
from matching.instrument import Instrument
from matching.types import OrderType, Side, TimeInForce, TradingState
from risk.account import PERP, SPOT, Account

E8: Final = 100_000_000


def standing_prints(engine: Engine) -> dict[str, int]:
    """The last print of the venue's first feed for each asset that has one, in 10^-8 quote."""
    feed = engine.venue.feeds[0]
    prints: dict[str, int] = {}
    for symbol, index in engine.risk.indexes.items():
        printed = dict(index.state()[0]).get(feed)
        if printed is not None:
            prints[engine.instruments[symbol].base] = printed[0]
    return prints


class Sight(NamedTuple):
    """One step of the market: the engine as it stands, and what is printed at this moment."""

    seed: int
    now_ms: int
    step_ms: int  # How far apart the agents' steps are.
    engine: Engine
    prices: PriceSource
    prints_e8: Mapping[str, int]  # By base asset, those of this moment included.

    @property
    def step(self) -> int:
        """The number of this step, for draws; a moment between two steps has that of the first."""
        return self.now_ms // self.step_ms

    def account(self, label: str) -> Account | None:
        """An agent's account by its label; None before it is opened."""
        found = self.engine.risk.labels.get(label)
        return None if found is None else self.engine.risk.accounts[found]

    def fair_e8(self, instrument: Instrument) -> int | None:
        """What an instrument is worth by the prints, in 10^-8 of its quote."""
        base_e8 = self.prints_e8.get(instrument.base)
        if base_e8 is None or instrument.quote == self.engine.venue.quote:
            return base_e8
        if instrument.kind == "inverse":  # Its quote counts as the venue's.
            return base_e8
        quote_e8 = self.prints_e8.get(instrument.quote)
        return base_e8 * E8 // quote_e8 if quote_e8 else None

    def book(self, symbol: str) -> Book:
        """An instrument's book."""
        return self.engine.books[symbol]

    def position_lots(self, account: Account, symbol: str) -> int:
        """An account's signed position on a perpetual."""
        held = account.positions.get(symbol)
        return held.lots if held else 0

    def is_open(self, instrument: Instrument) -> bool:
        """Whether orders can be placed: it is traded, and a perpetual has its first mark."""
        symbol = instrument.symbol
        if self.engine.trading.states[symbol] is not TradingState.TRADING:
            return False
        return instrument.kind == "spot" or self.engine.risk.mark_e8(symbol) is not None


def wallet_of(instrument: Instrument) -> str:
    """The wallet an instrument is traded from without leverage on spot."""
    return SPOT if instrument.kind == "spot" else PERP


def value_to_lots(instrument: Instrument, price_e8: int, value_e8: int) -> int:
    """How many lots a value (10^-8 of the instrument's quote) is at a price, rounded down."""
    if instrument.kind == "inverse":
        return value_e8 // instrument.face_minor
    return value_e8 * E8 // (price_e8 * instrument.lot_minor)


def lots_to_value(instrument: Instrument, price_e8: int, lots: int) -> int:
    """What lots are worth at a price, in 10^-8 of the instrument's quote, with their sign."""
    if instrument.kind == "inverse":
        return lots * instrument.face_minor
    return lots * instrument.lot_minor * price_e8 // E8


def margin_wallet(instrument: Instrument) -> str:
    """The wallet whose money stands behind a contract: one for a coin it settles in (P5)."""
    return f"{PERP}:{instrument.settle}" if instrument.kind == "inverse" else PERP


def lots_at_least(instrument: Instrument, price_e8: int) -> int:
    """The fewest lots an order may have, with a tenth to spare for a price that falls."""
    least_minor = instrument.notional_min_minor * 11 // 10
    return max(instrument.lots_min, value_to_lots(instrument, price_e8, least_minor) + 1)


def take(
    account: Account,
    instrument: Instrument,
    side: Side,
    lots: int,
    limit_e8: int,
    wallet: str = "",
    side_effect: int = 0,
) -> PlaceOrder:
    """An order that takes at once what it gets at the limit or better; the rest expires."""
    tick_e8 = instrument.tick_e8
    ticks = limit_e8 // tick_e8 if side is Side.BUY else -(-limit_e8 // tick_e8)
    return PlaceOrder(
        account_id=account.id,
        symbol=instrument.symbol,
        side=side,
        type=OrderType.LIMIT,
        lots=min(lots, instrument.lots_max),
        price_ticks=max(1, ticks),
        tif=TimeInForce.IOC,
        wallet=wallet or wallet_of(instrument),
        side_effect=side_effect,
    )
