"""Fees: the rate of a fill by its side of the trade, and the asset it is taken from (S10)."""

from __future__ import annotations

from typing import NamedTuple

from matching.instrument import Instrument
from matching.types import Side
from risk.money import charged
from risk.parameters import FeeSchedule


class Fee(NamedTuple):
    """What one side of one fill is charged."""

    asset: str
    minor: int


def rate_e12(schedule: FeeSchedule, instrument: Instrument, maker: bool) -> int:
    """The fee rate of one side of a fill on an instrument."""
    if instrument.kind == "spot":
        return schedule.spot_maker_e12 if maker else schedule.spot_taker_e12
    return schedule.perp_maker_e12 if maker else schedule.perp_taker_e12


def fill_fee(
    instrument: Instrument, side: Side, price_ticks: int, lots: int, fee_rate_e12: int
) -> Fee:
    """The fee of one fill, rounded up (A4, S10).

    On spot it is taken from what is received: a buyer's from the base, a seller's from the quote.
    On a perpetual it is taken from the settle asset, whichever the side.
    """
    assert lots > 0
    if instrument.kind == "spot" and side is Side.BUY:
        return Fee(instrument.base, charged(instrument.base_minor(lots), fee_rate_e12))
    return Fee(
        instrument.settle, charged(instrument.notional_minor(price_ticks, lots), fee_rate_e12)
    )
