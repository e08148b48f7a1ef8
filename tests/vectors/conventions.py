"""Other venues' conventions for which this one has no switch; the product uses none of them."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction


def entry_value_liquidation_price(
    side: int, quantity: Decimal, entry: Decimal, margin: Decimal, mmr: Decimal
) -> Fraction:
    """Bybit's isolated linear form: the maintenance margin is fixed at the value of the entry.

    `side` is +1 for a long, -1 for a short. The loss that leaves just that margin is
    margin - mmr x quantity x entry.
    """
    left = Fraction(margin) - Fraction(mmr) * Fraction(quantity) * Fraction(entry)
    return Fraction(entry) - side * left / Fraction(quantity)


def fee_counting_liquidation_price(
    side: int, entry: Decimal, margin: Decimal, mmr: Decimal, close_fee: Decimal
) -> Fraction:
    """OKX's and Gate's isolated linear form, for a quantity of one: the fee to close counts as
    maintenance: margin + side x (P - entry) = P x (mmr + fee)."""
    kept = Fraction(mmr) + Fraction(close_fee)
    return (Fraction(entry) - side * Fraction(margin)) / (1 - side * kept)


def entry_value_inverse_liquidation_price(
    side: int, contracts: Decimal, entry: Decimal, margin: Decimal, mmr: Decimal
) -> Fraction:
    """Bybit's isolated inverse form: maintenance in coin is fixed at the value of the entry.

    margin + side x contracts x (1 / entry - 1 / P) = mmr x contracts / entry.
    """
    at_entry = Fraction(contracts) / Fraction(entry)
    left = Fraction(margin) - Fraction(mmr) * at_entry
    return Fraction(contracts) / (at_entry + side * left)


def margin_multiple_funding_cap(
    multiplier: Decimal, initial: Decimal, maintenance: Decimal
) -> Fraction:
    """dYdX's cap of the funding rate: a multiple of initial less maintenance margin."""
    return Fraction(multiplier) * (Fraction(initial) - Fraction(maintenance))


def damped_funding_rate(premium: Decimal, damper: Decimal) -> Fraction:
    """Deribit's damper: a premium within it costs nothing, and beyond it only what is beyond."""
    beyond = max(Fraction(0), abs(Fraction(premium)) - Fraction(damper))
    return beyond if premium > 0 else -beyond
