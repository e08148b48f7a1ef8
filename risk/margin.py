"""Margin of linear perpetuals: requirements, what is available, liquidation and bankruptcy prices.

Requirements that are compared are exact: a maintenance margin is in 10^-28 of the quote (a value
of 10^-16 times a rate of 10^-12), so that sums over positions stay exact.  What must be paid or
set aside is rounded up to a minor unit, what may be taken away is rounded down.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from matching.types import Side
from risk.money import (
    E8,
    E12,
    MINOR_IN_E16,
    ceil_div,
    charged,
    half_even_div,
    minor_ceil,
    minor_floor,
)
from risk.parameters import Bracket

MINOR_IN_E28: Final = 10**20  # Units of 10^-28 in one minor unit,
E16_IN_E28: Final = E12  # in one unit of 10^-16,
E20_IN_E28: Final = E8  # and in one of 10^-20.


# -- requirements ------------------------------------------------------------------------------


def bracket_of(brackets: Sequence[Bracket], notional_e16: int) -> int:
    """The index of the bracket a notional lies in; a cap belongs to the bracket below it (P3).

    What exceeds the last cap counts to the last bracket.
    """
    assert notional_e16 >= 0
    last = len(brackets) - 1
    for index in range(last):
        if notional_e16 <= brackets[index].cap_minor * MINOR_IN_E16:
            return index
    return last


def maintenance_e28(brackets: Sequence[Bracket], notional_e16: int) -> int:
    """The maintenance margin, notional x mmr - cum, exactly, in 10^-28 of the quote (P3)."""
    bracket = brackets[bracket_of(brackets, notional_e16)]
    return notional_e16 * bracket.mmr_e12 - bracket.cum_e20 * E20_IN_E28


def maintenance_e16(brackets: Sequence[Bracket], notional_e16: int) -> int:
    """The maintenance margin in 10^-16 of the quote, rounded up: to show, never to compare."""
    return ceil_div(maintenance_e28(brackets, notional_e16), E16_IN_E28)


def must_liquidate(balance_e16: int, maintenance_e28: int) -> bool:
    """Whether a margin balance has fallen to its maintenance margin, or below it (P11)."""
    return balance_e16 * E16_IN_E28 <= maintenance_e28


def initial_e16(notional_e16: int, leverage: int) -> int:
    """The initial margin of a notional, rounded up, in 10^-16 of the quote (P4)."""
    assert notional_e16 >= 0
    return ceil_div(notional_e16, leverage)


def notional_cap_minor(brackets: Sequence[Bracket], leverage: int) -> int:
    """The largest notional a leverage is allowed at, inclusive; 0 where it is never allowed."""
    caps = [bracket.cap_minor for bracket in brackets if bracket.leverage >= leverage]
    return max(caps, default=0)


def leverage_allows(brackets: Sequence[Bracket], leverage: int, notional_e16: int) -> bool:
    """Whether a notional, at the larger of mark and order price, fits a leverage (P3)."""
    return notional_e16 <= notional_cap_minor(brackets, leverage) * MINOR_IN_E16


# -- orders ------------------------------------------------------------------------------------


class OrderMargin(NamedTuple):
    """The initial margin of a position and its resting orders, one-way, 10^-16 of the quote."""

    total_e16: int
    position_e16: int
    orders_e16: int


def open_order_margin(
    signed_notional_e16: int, buys_e16: int, sells_e16: int, leverage: int
) -> OrderMargin:
    """Margin in the max form of P4: the larger of what all buys or all sells would leave.

    `signed_notional_e16` is the position at mark, negative when short; buys and sells are the
    remaining quantity x price of resting orders, reduce-only ones left out.
    """
    assert buys_e16 >= 0
    assert sells_e16 >= 0
    exposure_e16 = max(abs(signed_notional_e16 + buys_e16), abs(signed_notional_e16 - sells_e16))
    total_e16 = initial_e16(exposure_e16, leverage)
    position_e16 = initial_e16(abs(signed_notional_e16), leverage)
    return OrderMargin(total_e16, position_e16, total_e16 - position_e16)


def open_loss_e16(side: Side, notional_minor: int, value_e16: int) -> int:
    """What an order would lose at once if it filled: how far its price x quantity is worse than
    its value at the mark."""
    worse_e16 = notional_minor * MINOR_IN_E16 - value_e16
    return max(0, worse_e16 if side is Side.BUY else -worse_e16)


class OrderCost(NamedTuple):
    """What a perpetual order needs to be admitted, part by part, in minor units."""

    initial_minor: int
    open_fee_minor: int
    close_fee_minor: int
    open_loss_minor: int

    @property
    def total_minor(self) -> int:
        """All of it."""
        return sum(self)


def order_cost(
    side: Side,
    notional_minor: int,
    leverage: int,
    taker_e12: int,
    loss_e16: int = 0,
    reserve_close_fee: bool = False,
) -> OrderCost:
    """The cost of an order at its price: margin, taker fee, loss at mark, and fee to close (P4).

    The fee to close is reserved for isolated margin; it is the taker fee at the bankruptcy price
    without fee, price x (1 -/+ 1 / leverage) (section 9).
    """
    assert notional_minor >= 0
    close_fee_minor = 0
    if reserve_close_fee:
        times = leverage - 1 if side is Side.BUY else leverage + 1
        close_fee_minor = ceil_div(notional_minor * times * taker_e12, leverage * E12)
    return OrderCost(
        initial_minor=ceil_div(notional_minor, leverage),
        open_fee_minor=charged(notional_minor, taker_e12),
        close_fee_minor=close_fee_minor,
        open_loss_minor=minor_ceil(loss_e16),
    )


# -- balances ----------------------------------------------------------------------------------


def withdrawable_minor(
    wallet_minor: int, balance_e16: int, initial_e16: int, orders_e16: int
) -> int:
    """What may leave the wallet: profit that is not realised may not (P5)."""
    least_e16 = min(wallet_minor * MINOR_IN_E16, balance_e16)
    return minor_floor(max(0, least_e16 - initial_e16 - orders_e16))


# -- isolated margin ---------------------------------------------------------------------------


def removable_minor(margin_minor: int, unrealised_e16: int, initial_e16: int) -> int:
    """What may be taken out of an isolated position: what exceeds its initial margin once losses
    are counted; profit that is not realised is not removable (P17).
    """
    balance_e16 = margin_minor * MINOR_IN_E16 + unrealised_e16
    return withdrawable_minor(margin_minor, balance_e16, initial_e16, 0)


def margin_after_raise_minor(
    margin_minor: int, unrealised_e16: int, initial_e16: int, maintenance_e28: int
) -> int:
    """The isolated margin that stays when leverage is raised: at least the new initial margin,
    and maintenance with the open loss, and never more than there was (P17).
    """
    loss_e28 = max(0, -unrealised_e16) * E16_IN_E28
    needed_minor = max(minor_ceil(initial_e16), ceil_div(maintenance_e28 + loss_e28, MINOR_IN_E28))
    return min(margin_minor, needed_minor)


# -- where it ends -----------------------------------------------------------------------------


class LiquidationPrice(NamedTuple):
    """The exact price at which balance meets maintenance: numerator / denominator, 10^-8."""

    numerator: int
    denominator: int
    bracket: int  # Index of the bracket the notional at that price lies in.

    @property
    def price_e8(self) -> int:
        """The price for display, half-even."""
        return half_even_div(self.numerator, self.denominator)


def liquidation_price(
    base_minor: int,
    cost_minor: int,
    brackets: Sequence[Bracket],
    balance_e16: int,
    other_maintenance_e28: int = 0,
) -> LiquidationPrice | None:
    """The mark at which a linear position, one-way, is liquidated; None where there is none (P11).

    `base_minor` is the signed size.  `balance_e16` is the wallet and the unrealised profit of
    every other position in it (isolated: the position's margin), `other_maintenance_e28` what
    those others need.  Each bracket is tried, and the one that contains the notional at its own
    answer is right (T4); there is one at most, since balance and maintenance cross once.
    """
    assert base_minor
    size, sign = abs(base_minor), 1 if base_minor > 0 else -1
    equity_e28 = balance_e16 * E16_IN_E28 - other_maintenance_e28 - cost_minor * MINOR_IN_E28
    last = len(brackets) - 1
    for index, bracket in enumerate(brackets):
        # equity + q x P = |q| x P x mmr - cum, solved for P and written with q / |q| = sign.
        numerator = -sign * (equity_e28 + bracket.cum_e20 * E20_IN_E28)
        denominator = size * (E12 - sign * bracket.mmr_e12)
        if numerator <= 0:
            continue
        notional = size * numerator  # Times the denominator, as the bounds are.
        above_floor = notional >= bracket.floor_minor * MINOR_IN_E16 * denominator
        below_cap = notional <= bracket.cap_minor * MINOR_IN_E16 * denominator
        if above_floor and (below_cap or index == last):
            return LiquidationPrice(numerator, denominator, index)
    return None


def bankruptcy_price(
    base_minor: int, cost_minor: int, margin_e16: int, close_fee_e12: int
) -> tuple[int, int]:
    """The price that leaves nothing after the fee to close, as numerator / denominator, 10^-8.

    `margin_e16` is the isolated margin, or in cross mode the wallet and the unrealised profit of
    the other positions (P12).  A numerator that is not positive means that no price does.
    """
    assert base_minor
    assert 0 <= close_fee_e12 < E12
    sign = 1 if base_minor > 0 else -1
    entry_value_e16 = abs(cost_minor) * MINOR_IN_E16
    return (
        (entry_value_e16 - sign * margin_e16) * E12,
        abs(base_minor) * (E12 - sign * close_fee_e12),
    )


def bankruptcy_ticks(
    base_minor: int, cost_minor: int, margin_e16: int, close_fee_e12: int, tick_e8: int
) -> int:
    """The bankruptcy price as an order price: a long's up to the tick, a short's down (P12).

    So a fill there never leaves less than nothing.  It is one tick where the price would be lower.
    """
    numerator, denominator = bankruptcy_price(base_minor, cost_minor, margin_e16, close_fee_e12)
    step = denominator * tick_e8
    ticks = ceil_div(numerator, step) if base_minor > 0 else numerator // step
    return max(1, ticks)


def step_down_lots(lots: int, lot_minor: int, mark_e8: int, brackets: Sequence[Bracket]) -> int:
    """How many lots a partial liquidation closes: down to the cap of the bracket below (P13.4).

    All of them in the first bracket.
    """
    held = abs(lots)
    index = bracket_of(brackets, held * lot_minor * mark_e8)
    if index == 0:
        return held
    cap_e16 = brackets[index - 1].cap_minor * MINOR_IN_E16
    return held - cap_e16 // (lot_minor * mark_e8)
