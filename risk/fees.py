# cython: overflowcheck=True
"""Fees: what one side of a fill is charged, rounded up, or given, rounded down (S10, A4)."""

from __future__ import annotations

from typing import Final

from matching.types import Fill, Order
from risk.account import Account
from risk.ledger import FIRST_ACCOUNT
from risk.money import E12, ceil_div, charged
from risk.parameters import FeeKind, FeeTier
from risk.state import RiskState
from risk.tiers import terms_of

FREE: Final = FeeTier(0, 0, 0)  # The house pays itself nothing.


def rates_e12(state: RiskState, account: Account, kind: FeeKind) -> FeeTier:
    """The account's tier on the present day (S10), of spot or of perpetual trades."""
    return FREE if account.id < FIRST_ACCOUNT else terms_of(state, account, kind)


def fee_minor(amount_minor: int, rate_e12: int) -> int:
    """The fee of one fill, in the asset of the amount it is charged on; a rebate is negative.

    A fee is rounded up and a rebate down: the house keeps the remainder (A4).  On spot the amount
    is what was received: a buyer pays base, a seller quote.  On a perpetual it is the notional,
    in the settle asset, whichever the side.
    """
    if rate_e12 < 0:
        return -(amount_minor * -rate_e12 // E12)
    return charged(amount_minor, rate_e12)


def fee_rate_e12(state: RiskState, order: Order, fill: Fill) -> int:
    """The rate of one side of a fill; no maker is given more than its taker pays."""
    kind: FeeKind = "spot" if state.instruments[order.symbol].kind == "spot" else "perp"
    if fill.auction:  # Both sides pay as takers (S14).
        return rates_e12(state, state.accounts[order.account_id], kind).taker_e12
    taker_e12 = rates_e12(state, state.accounts[fill.taker.account_id], kind).taker_e12
    if order is fill.taker:
        return taker_e12
    maker_e12 = rates_e12(state, state.accounts[order.account_id], kind).maker_e12
    return max(maker_e12, -taker_e12)


def discounted_minor(
    state: RiskState, account: Account, received: tuple[str, int], rate_e12: int
) -> int | None:
    """The fee of a spot fill in the discount asset, at the index and rounded up once.

    `received` is the asset and the amount the fee would be charged on; (1 - discount) of it is
    paid (T1).  None where it is not paid so: the venue or the account does not want it, it is a
    rebate, or a price is not known.
    """
    fees = state.venue.fees
    if fees.asset != "discount" or not account.fee_discount or rate_e12 <= 0:
        return None
    asset, minor = received
    price_e8, paid_e8 = state.price_e8(asset), state.price_e8(fees.discount_asset)
    if not price_e8 or not paid_e8:
        return None
    kept_e12 = E12 - fees.discount_e12
    return ceil_div(minor * rate_e12 * kept_e12 * price_e8, E12 * E12 * paid_e8)
