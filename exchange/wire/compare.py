"""The same stake both ways, as the wire tells it."""

from __future__ import annotations

import msgspec

from exchange.wire.says import Say


class OutcomeSay(Say):
    """What becomes of the stake where the price has moved when the hours are over.

    The profit is after fees, interest and funding. Where the way there liquidates it is all of the
    stake that is lost, at worst.
    """

    move_percent: str
    price: str
    profit: str
    return_percent: str  # Of the stake.
    liquidated: bool


class WaySay(Say):
    """One way to carry the stake; one that cannot be gone says why, and has no further fields.

    Amounts are in the quote unless another field names their asset.
    """

    symbol: str
    accepted: bool
    reason: str | None
    message: str | None
    max_leverage: int
    qty: str | None = None
    notional: str | None = None
    borrowed: str | None = None
    borrow_asset: str | None = None
    open_fee: str | None = None
    close_fee: str | None = None  # Were it closed at the price it began at.
    interest_per_hour: str | None = None  # Of what is borrowed,
    interest_per_day: str | None = None
    interest: str | None = None  # and in all the hours.
    funding_rate: str | None = None  # As it would be charged now; paid by a long if positive.
    funding_interval_ms: int | None = None
    funding_each: str | None = None  # What it comes to each time: paid if positive.
    fundings: int | None = None  # How often within the hours.
    funding: str | None = None  # All of them at that rate.
    liquidation_price: str | None = None
    margin_call_price: str | None = None
    outcomes: list[OutcomeSay] = msgspec.field(default_factory=list)


class CompareSay(Say):
    """The same stake on borrowed coins and on a perpetual, both from the index, at this moment."""

    env: str
    base: str
    quote: str
    stake: str
    leverage: int
    side: str
    hours: int
    price: str
    spot: WaySay
    perpetual: WaySay | None  # Not every asset has one.
