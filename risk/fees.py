"""Fees: what one side of a fill is charged, rounded up (S10)."""

from __future__ import annotations

from risk.money import charged


def fee_minor(received_minor: int, rate_e12: int) -> int:
    """The fee of one fill, rounded up (A4), in the asset of the amount it is charged on.

    On spot that is what was received: a buyer pays base, a seller quote.  On a perpetual it is
    the notional, and the settle asset, whichever the side.
    """
    return charged(received_minor, rate_e12)
