# cython: overflowcheck=True
"""Margin of perpetuals: requirements, what orders ask for, and what may be taken away.

Everything is compared exactly: a maintenance margin is in 10^-28 of the quote (a value of 10^-16
times a rate of 10^-12), so that sums over positions stay exact.  What must be paid or set aside
is rounded up to a minor unit of the settle asset, what may be taken away is rounded down.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec

from matching.types import Side
from risk.money import E12, ceil_div, charged
from risk.position import released_cost

E16_IN_E28: Final = E12  # Units of 10^-28 in one of 10^-16.


# -- requirements ------------------------------------------------------------------------------


def must_liquidate(balance_e16: int, maintenance_e28: int) -> bool:
    """Whether a margin balance has fallen to its maintenance margin, or below it (P11)."""
    return balance_e16 * E16_IN_E28 <= maintenance_e28


def initial_e16(notional_e16: int, leverage: int) -> int:
    """The initial margin of a notional, rounded up, in 10^-16 of the quote (P4)."""
    assert notional_e16 >= 0
    return ceil_div(notional_e16, leverage)


# -- orders ------------------------------------------------------------------------------------


class OrderMargin(msgspec.Struct, frozen=True, gc=False):
    """The initial margin of a position and its resting orders, 10^-16 of the quote."""

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
    bought_e16 = abs(signed_notional_e16 + buys_e16)
    sold_e16 = abs(signed_notional_e16 - sells_e16)
    total_e16 = initial_e16(bought_e16 if bought_e16 > sold_e16 else sold_e16, leverage)
    position_e16 = initial_e16(abs(signed_notional_e16), leverage) if signed_notional_e16 else 0
    return OrderMargin(total_e16, position_e16, total_e16 - position_e16)


class Against(NamedTuple):
    """All orders against an isolated position: how much, what they come to, with which sign.

    `value_minor` is what their fills would add to the position's cost.
    """

    lots: int
    value_minor: int


def isolated_flip_minor(
    lots: int, cost_minor: int, margin_minor: int, against: Against, leverage: int
) -> int:
    """What orders against an isolated position need, in minor units: the margin of what they would
    open beyond it, less what closing it first gives back, margin and profit at their price (V43).

    Nothing while they only close.
    """
    opening = against.lots - abs(lots)
    if opening <= 0:
        return 0
    closing_minor = released_cost(against.value_minor, abs(lots), against.lots)
    realised_minor = -closing_minor - cost_minor
    needed_minor = ceil_div(abs(against.value_minor - closing_minor), leverage)
    return max(0, needed_minor - max(0, margin_minor + realised_minor))


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
    open_loss_minor: int = 0,
    *,
    reserve_close_fee: bool = False,
    inverse: bool = False,
) -> OrderCost:
    """The cost of an order at its price: margin, taker fee, loss at mark, and fee to close (P4).

    `notional_minor` is what it comes to in the settle asset.  The fee to close is reserved for
    isolated margin; it is the taker fee at the bankruptcy price without fee (section 9): that of
    price x (1 -/+ 1 / leverage), or of an inverse contract, coins x (1 +/- 1 / leverage).
    """
    assert notional_minor >= 0
    close_fee_minor = 0
    if reserve_close_fee:
        times = leverage + 1 if (side is Side.BUY) is inverse else leverage - 1
        close_fee_minor = ceil_div(notional_minor * times * taker_e12, leverage * E12)
    return OrderCost(
        initial_minor=ceil_div(notional_minor, leverage),
        open_fee_minor=charged(notional_minor, taker_e12),
        close_fee_minor=close_fee_minor,
        open_loss_minor=open_loss_minor,
    )


# -- balances ----------------------------------------------------------------------------------


def withdrawable_e16(wallet_e16: int, balance_e16: int, initial_e16: int, orders_e16: int) -> int:
    """What may leave the wallet: profit that is not realised may not (P5, T17)."""
    return max(0, min(wallet_e16, balance_e16) - initial_e16 - orders_e16)


def margin_after_raise_e16(
    margin_e16: int, unrealised_e16: int, initial_e16: int, maintenance_e28: int
) -> int:
    """The isolated margin that stays when leverage is raised: at least the new initial margin,
    and maintenance with the open loss, and never more than there was (P17).
    """
    loss_e16 = max(0, -unrealised_e16)
    return min(margin_e16, max(initial_e16, ceil_div(maintenance_e28, E16_IN_E28) + loss_e16))
