"""Fees: what one side of a fill is charged, rounded up (S10)."""

from __future__ import annotations

from matching.types import Order
from risk.account import PERP
from risk.ledger import FIRST_ACCOUNT
from risk.money import charged
from risk.state import RiskState


def fee_minor(received_minor: int, rate_e12: int) -> int:
    """The fee of one fill, rounded up (A4), in the asset of the amount it is charged on.

    On spot that is what was received: a buyer pays base, a seller quote.  On a perpetual it is
    the notional, and the settle asset, whichever the side.
    """
    return charged(received_minor, rate_e12)


def fee_rate_e12(state: RiskState, order: Order, maker: bool) -> int:
    """The order's rate; the house pays itself none."""
    if order.account_id < FIRST_ACCOUNT:
        return 0
    fees = state.venue.fees
    if order.wallet == PERP:
        return fees.perp_maker_e12 if maker else fees.perp_taker_e12
    return fees.spot_maker_e12 if maker else fees.spot_taker_e12
