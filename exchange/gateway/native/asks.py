"""What the native doors are asked that is no record of `exchange.wire`: mostly queries.

A field named in a route's path is one of the ask's fields; over WebSocket all stand side by side.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from exchange.wire import (
    AmendAsk,
    Ask,
    Asset,
    ClientId,
    Id,
    Millis,
    OrderKey,
    Say,
    StateAsk,
    Symbol,
    Text,
    Wallet,
)
from matching.limits import DEPTH_LEVELS_MAX

Count = Annotated[int, msgspec.Meta(ge=1, le=1000)]
IntervalName = Literal["1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d"]


class NothingAsk(Ask):
    """Nothing to say."""


class SymbolAsk(Ask):
    """One instrument."""

    symbol: Symbol


class LimitsAsk(Ask):
    """An asset of a wallet."""

    wallet: Wallet
    asset: Asset


class CompareAsk(Ask):
    """A stake in the venue's quote, how often it is to be multiplied, and for how long."""

    base: Asset = "BTC"
    stake: Text = "1000"
    leverage: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 10
    side: Literal["long", "short"] = "long"
    hours: Annotated[int, msgspec.Meta(ge=0, le=8_760)] = 24


class DepthAsk(SymbolAsk):
    """The book of an instrument, at most `limit` levels a side."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=DEPTH_LEVELS_MAX)] = 100


class TradesAsk(SymbolAsk):
    """The latest trades, or those before `before_id`, newest first."""

    limit: Count = 100
    before_id: Id | None = None


class CandlesAsk(SymbolAsk):
    """Candles, oldest first; the latest, or those that open in [`start_ms`, `end_ms`]."""

    interval: IntervalName = "1m"
    limit: Count = 500
    start_ms: Millis | None = None
    end_ms: Millis | None = None


class FundingAsk(SymbolAsk):
    """The latest funding rates, or those before `before_ms`, newest first."""

    limit: Count = 100
    before_ms: Millis | None = None


class FillsAsk(Ask):
    """The account's fills, newest first; those before trade `before_id` of the symbol."""

    symbol: Symbol | None = None
    limit: Count = 100
    before_id: Id | None = None


class LedgerAsk(Ask):
    """The account's postings, newest first; the latest, or those up to `end_ms`."""

    wallet: Wallet | None = None
    asset: Asset | None = None
    reason: Annotated[str, msgspec.Meta(max_length=20)] | None = None
    limit: Count = 100
    end_ms: Millis | None = None


class ResetAsk(Ask):
    """Start over."""

    client_id: ClientId = ""


class KeyNameAsk(Ask):
    """One of the account's keys."""

    api_key: Annotated[str, msgspec.Meta(max_length=128)]


class PairPriceAsk(Ask):
    """An administrator's price for a pair such as `BTC-USDT`."""

    pair: Symbol
    price: Text


class SymbolStateAsk(StateAsk):
    """A trading state for a symbol."""

    symbol: Symbol


class RawBatchAsk(Ask):
    """A batch whose orders are read one by one, so that a bad one does not spoil the others."""

    orders: Annotated[list[dict[str, Any]], msgspec.Meta(min_length=1)]


class OrderNameAsk(OrderKey):
    """One order of the account."""


class OrderAmendAsk(AmendAsk):
    """A change to one order of the account."""


class WhyAsk(Ask):
    """One decision about the account; `of` is what follows the kind in a `why` that was told."""

    kind: Literal["reject", "fill", "interest", "funding", "call", "liquidation", "adl"]
    of: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class RevokedSay(Say):
    """A key that works no more."""

    api_key: str
    revoked: bool


class SettingsSay(Say):
    """The account's settings as they stand; a perpetual it chose nothing for is absent.

    `cancel_all_after_ms` is what is left of its countdowns, by symbol; "all" is that of all.
    """

    margin_leverage: int
    position_mode: str
    symbols: dict[str, dict[str, Any]]
    fee_discount: bool = False
    multi_asset: bool = False
    cancel_all_after_ms: dict[str, int] = msgspec.field(default_factory=dict)


class SymbolStateSay(Say):
    """The trading state of a symbol as it stands."""

    symbol: str
    state: str


class IndexSay(Say):
    """An index price as it stands."""

    pair: str
    price: str
