"""Fees: the rate of one side of a fill, and the charge, rounded up (S10)."""

from __future__ import annotations

from risk.money import charged
from risk.parameters import FeeSchedule


def fee_minor(received_minor: int, rate_e12: int) -> int:
    """The fee of one fill, rounded up (A4), in the asset of the amount it is charged on.

    On spot that is what was received: a buyer pays base, a seller quote.  On a perpetual it is
    the notional, and the settle asset, whichever the side.
    """
    return charged(received_minor, rate_e12)


def fee_rate_e12(schedule: FeeSchedule, *, contract: bool, maker: bool) -> int:
    """The rate of a maker or a taker, on a perpetual contract or on spot."""
    if contract:
        return schedule.perp_maker_e12 if maker else schedule.perp_taker_e12
    return schedule.spot_maker_e12 if maker else schedule.spot_taker_e12
