"""The prices at which a perpetual position ends by liquidation or bankruptcy, exactly.

What decides is the comparison of balance and maintenance at the mark (P11); these prices solve it.
They are fractions, rounded only when shown or sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

from risk.contract import Contract
from risk.money import E8, E12, ceil_div, half_even_div
from risk.parameters import Bracket
from risk.ratio import Ratio

Leg = tuple[int, int]  # Signed lots, and what they cost.


class LiquidationPrice(NamedTuple):
    """The exact price at which balance meets maintenance: numerator / denominator, 10^-8."""

    numerator: int
    denominator: int
    bracket: int  # Index of the bracket the first leg's notional at that price lies in.

    @property
    def price_e8(self) -> int:
        """The price for display, half-even."""
        return half_even_div(self.numerator, self.denominator)


def liquidation_price(
    contract: Contract,
    legs: Sequence[Leg],
    balance_e16: int,
    mark_e8: int,
    other_maintenance_e28: int = 0,
) -> LiquidationPrice | None:
    """The mark at which a position, or both legs that share a wallet, are liquidated (P11, V53).

    `balance_e16` is the wallet and the unrealised profit of every other contract in it (isolated:
    the position's margin), at the present mark; `other_maintenance_e28` is what those others need.
    Each combination of brackets is tried, and the one that contains the notionals at its own answer
    is right (T4).  Two legs may have an answer on either side, for both need maintenance: the one
    against the larger leg is told.  None where no price liquidates (V56) that a book could print.
    """
    assert legs
    unit = contract.factor(mark_e8)
    equity = balance_e16 - unit * sum(cost_minor for _, cost_minor in legs)
    fixed = equity * E12 - other_maintenance_e28
    places = range(len(contract.brackets))
    found = [
        price
        for choice in product(places, repeat=len(legs))
        if (price := _solved(contract, legs, choice, fixed, mark_e8)) is not None
        and price.numerator <= contract.price_max_e8 * price.denominator
    ]
    if not found:
        return None
    net = sum(lots for lots, _ in legs)
    ends = min if net > 0 else max
    return ends(found, key=lambda price: Ratio(price.numerator, price.denominator))


def _solved(
    contract: Contract, legs: Sequence[Leg], choice: Sequence[int], fixed: int, mark_e8: int
) -> LiquidationPrice | None:
    """The answer if each leg lay in its chosen bracket; None where it does not then lie there.

    Balance and maintenance are straight lines in x, the price (linear) or 1 / price (inverse):
    fixed + sum(+-q x) = sum(|q| x mmr - cum).
    """
    unit = contract.factor(mark_e8)
    weight = contract.lot_minor * (E8 * mark_e8 if contract.inverse else 1)
    toward = -1 if contract.inverse else 1
    chosen = [contract.brackets[index] for index in choice]
    slope = sum(
        toward * lots * E12 - abs(lots) * bracket.mmr_e12
        for (lots, _), bracket in zip(legs, chosen, strict=True)
    )
    start = fixed + unit * sum(bracket.cum_e20 for bracket in chosen)
    top, bottom = (-start, slope * weight) if slope > 0 else (start, -slope * weight)
    if top <= 0 or bottom <= 0:
        return None
    last = len(contract.brackets) - 1
    for (lots, _), bracket, index in zip(legs, chosen, choice, strict=True):
        notional = abs(lots) * weight * top
        if not _contains(bracket, notional, unit * bottom, index == last):
            return None
    if contract.inverse:
        top, bottom = bottom, top
    return LiquidationPrice(top, bottom, choice[0])


def _contains(bracket: Bracket, notional: int, unit: int, is_last: bool) -> bool:
    """Whether a notional lies in a bracket whose bounds are in that unit."""
    above_floor = notional >= bracket.floor_minor * unit
    return above_floor and (is_last or notional <= bracket.cap_minor * unit)


# -- bankruptcy --------------------------------------------------------------------------------


def bankruptcy_price(
    contract: Contract, leg: Leg, margin_e16: int, close_fee_e12: int, mark_e8: int
) -> tuple[int, int] | None:
    """The price that leaves nothing after the fee to close, as numerator / denominator, 10^-8.

    `margin_e16` is the isolated margin, or in cross mode the wallet and the unrealised profit of
    every other position in it, at the present mark (P12).  None where no price does.
    """
    lots, cost_minor = leg
    assert lots
    assert 0 <= close_fee_e12 < E12
    sign = 1 if lots > 0 else -1
    equity = sign * (cost_minor * contract.factor(mark_e8) - margin_e16)
    size = abs(lots) * contract.lot_minor
    if contract.inverse:  # Size x (1 +- fee) / price = margin - cost, in coin.
        numerator, denominator = size * E8 * mark_e8 * (E12 + sign * close_fee_e12), -equity * E12
    else:
        numerator, denominator = equity * E12, size * (E12 - sign * close_fee_e12)
    return (numerator, denominator) if numerator > 0 and denominator > 0 else None


def bankruptcy_ticks(
    contract: Contract, leg: Leg, margin_e16: int, close_fee_e12: int, mark_e8: int
) -> int:
    """The bankruptcy price as an order price: a long's up to the tick, a short's down (P12, T22).

    So a fill there never leaves less than nothing.  Where no price is bankrupt it is the worst
    price there is: one tick for a long, the highest price for a short.
    """
    price = bankruptcy_price(contract, leg, margin_e16, close_fee_e12, mark_e8)
    highest = contract.instrument.ticks_max
    if price is None:
        return 1 if leg[0] > 0 else highest
    numerator, step = price[0], price[1] * contract.tick_e8
    ticks = ceil_div(numerator, step) if leg[0] > 0 else numerator // step
    return max(1, min(highest, ticks))
