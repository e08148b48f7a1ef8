# cython: overflowcheck=True
"""The sums of spot margin: collateral, margin levels, interest, repayment and forced sales.

Values that are compared are in 10^-28 of the quote, where an amount at a price, a debt with its
interest and a weighted collateral are all exact.  In an isolated wallet the quote is its pair's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from risk.money import (
    E12,
    MINOR_IN_E16,
    MINOR_IN_E18,
    ceil_div,
    half_even_div,
    interest_minor_ceil,
)
from risk.parameters import AssetParameters, CollateralTier

E16_IN_E28: Final = E12  # Units of 10^-28 in one of 10^-16,
E26_IN_E28: Final = 100  # in one of 10^-26,
MINOR_IN_E28: Final = 10**20  # and in one minor unit.
E20_IN_E18: Final = 100  # Units of 10^-20 in one of 10^-18.


# -- values and levels -------------------------------------------------------------------------


def asset_e28(total_minor: int, price_e8: int) -> int:
    """What an amount is worth at its index price, exactly."""
    return total_minor * price_e8 * E16_IN_E28


def owed_e18(principal_minor: int, interest_e18: int) -> int:
    """Principal and interest of a loan, in 10^-18 of the asset."""
    return principal_minor * MINOR_IN_E18 + interest_e18


def debt_e28(debt_e18: int, price_e8: int) -> int:
    """What a debt is worth at the asset's index price, exactly."""
    return debt_e18 * price_e8 * E26_IN_E28


def collateral_e28(value_e16: int, tiers: Sequence[CollateralTier]) -> int:
    """What an asset of that value counts as collateral, slab by slab, like a tax (M3)."""
    assert value_e16 >= 0
    counted_e28, floor_e16 = 0, 0
    for tier in tiers:
        top_e16 = value_e16 if tier.cap_minor is None else tier.cap_minor * MINOR_IN_E16
        top_e16 = min(top_e16, value_e16)
        counted_e28 += (top_e16 - floor_e16) * tier.ratio_e12
        floor_e16 = top_e16
        if floor_e16 == value_e16:
            break
    return counted_e28


def value_needed_e16(collateral_e28: int, tiers: Sequence[CollateralTier]) -> int | None:
    """The least value that counts as at least that much collateral; None where none can."""
    floor_e16, left_e28 = 0, collateral_e28
    if left_e28 <= 0:
        return 0
    for tier in tiers:
        if tier.cap_minor is None:
            return floor_e16 + ceil_div(left_e28, tier.ratio_e12)
        top_e16 = tier.cap_minor * MINOR_IN_E16
        slab_e28 = (top_e16 - floor_e16) * tier.ratio_e12
        if left_e28 <= slab_e28:
            return floor_e16 + ceil_div(left_e28, tier.ratio_e12)
        left_e28 -= slab_e28
        floor_e16 = top_e16
    return None


def level_e12(assets_e28: int, debts_e28: int) -> int | None:
    """Assets / debts, rounded down, to show; None without a debt.  Compare with `at_most`."""
    return assets_e28 * E12 // debts_e28 if debts_e28 else None


# -- how much ----------------------------------------------------------------------------------


def max_borrow_minor(
    collateral_e28: int,
    debts_e28: int,
    initial_e12: int,
    own_value_e16: int,
    tiers: Sequence[CollateralTier],
    price_e8: int,
) -> int:
    """The largest loan of an asset at that price: (CV - IRR x D) / (IRR - h), rounded down (M5).

    h is the share that counts of what the loan becomes, on top of `own_value_e16` of the asset
    (T25); where that crosses slabs the sum is taken slab by slab.  One tier of 1 is isolated
    margin's.
    """
    assert price_e8 > 0
    room_e40 = collateral_e28 * E12 - initial_e12 * debts_e28
    borrowed_e16 = 0
    for tier in tiers:
        step_e24 = (initial_e12 - tier.ratio_e12) * E12  # Room that a unit of value takes.
        assert step_e24 > 0
        slab_e16 = None
        if tier.cap_minor is not None:
            slab_e16 = max(0, tier.cap_minor * MINOR_IN_E16 - own_value_e16 - borrowed_e16)
        if slab_e16 is None or room_e40 <= slab_e16 * step_e24:
            return max(0, borrowed_e16 * step_e24 + room_e40) // (step_e24 * price_e8)
        borrowed_e16 += slab_e16
        room_e40 -= slab_e16 * step_e24
    step_e24 = initial_e12 * E12  # Above the last slab nothing counts.
    return (borrowed_e16 * step_e24 + room_e40) // (step_e24 * price_e8)


def max_transfer_out_minor(
    free_minor: int,
    total_minor: int,
    price_e8: int,
    tiers: Sequence[CollateralTier],
    collateral_sum_e28: int,
    debts_e28: int,
    keep_e12: int,
) -> int:
    """The most of an asset that may leave with collateral / debts staying at `keep` or above (M5).

    `collateral_sum_e28` counts every asset of the wallet, this one included.  Without debts all
    that is free may leave; with debts, an asset that has no price yet (0) stays.
    """
    if not debts_e28:
        return free_minor
    if not price_e8:
        return 0
    own_e28 = collateral_e28(total_minor * price_e8, tiers)
    needed_e28 = ceil_div(keep_e12 * debts_e28, E12) - (collateral_sum_e28 - own_e28)
    stay_e16 = value_needed_e16(needed_e28, tiers)
    if stay_e16 is None:
        return 0
    return max(0, min(free_minor, total_minor - ceil_div(stay_e16, price_e8)))


# -- interest and repayment --------------------------------------------------------------------


def hour_of_interest_e18(
    principal_minor: int, interest_e18: int, hourly_rate_e12: int, compound: bool
) -> int:
    """One hour of interest, rounded up in 10^-18 of the asset: on principal alone, or where it
    compounds on the interest that is owed as well (M7, V27)."""
    assert principal_minor >= 0
    bearing_e18 = owed_e18(principal_minor, interest_e18 if compound else 0)
    return ceil_div(bearing_e18 * hourly_rate_e12, E12)


def pool_rate_e12(asset: AssetParameters, lent_minor: int, pool_minor: int) -> int:
    """The hourly rate of an asset of whose pool so much is lent, rounded up.

    The asset's own where it has no curve; an empty pool has lent nothing.
    """
    curve = asset.curve
    if curve is None:
        return asset.hourly_rate_e12
    if lent_minor <= 0 or pool_minor <= 0:
        return curve.base_e12
    kink = curve.kink_e12 * pool_minor  # Lent x 10^12 is compared: no quotient is.
    gentle = min(lent_minor * E12, kink)
    beyond = lent_minor * E12 - gentle
    return (
        curve.base_e12
        + ceil_div(curve.slope_e12 * gentle, kink)
        + ceil_div(curve.steep_e12 * beyond, (E12 - curve.kink_e12) * pool_minor)
    )


class Repayment(NamedTuple):
    """How an amount repays a loan, interest first (M8)."""

    interest_minor: int  # Taken for interest: what it settles, rounded up.
    principal_minor: int
    interest_e18: int  # What of the interest it settles.
    excess_e18: int  # Taken for interest beyond what was owed: the rounding account's (V26).

    @property
    def taken_minor(self) -> int:
        """What leaves the payer; never more than was offered, nor more than was owed."""
        return self.interest_minor + self.principal_minor


def split_repayment(principal_minor: int, interest_e18: int, offered_minor: int) -> Repayment:
    """Repay with at most an offered amount: interest rounded up, then principal (M7, M8)."""
    assert offered_minor >= 0
    interest_minor = interest_minor_ceil(interest_e18)
    if offered_minor < interest_minor:  # A part of the interest is paid, to the unit.
        return Repayment(offered_minor, 0, offered_minor * MINOR_IN_E18, 0)
    return Repayment(
        interest_minor=interest_minor,
        principal_minor=min(offered_minor - interest_minor, principal_minor),
        interest_e18=interest_e18,
        excess_e18=interest_minor * MINOR_IN_E18 - interest_e18,
    )


# -- where it ends -----------------------------------------------------------------------------


def liquidation_price_e8(
    base_minor: int,
    base_owed_e18: int,
    other_assets_e28: int,
    other_debts_e28: int,
    liquidation_e12: int,
) -> int | None:
    """The price of one asset at which assets / debts meet the liquidation level, for display.

    Isolated, the other asset is the pair's quote (M11); cross, it is everything else at its index
    price.  Half-even; None where no price does it.
    """
    # (other assets + base x P) = LR x (other debts + owed x P), solved for P.
    numerator = liquidation_e12 * other_debts_e28 - other_assets_e28 * E12
    denominator = base_minor * MINOR_IN_E18 * E12 - liquidation_e12 * base_owed_e18
    if denominator < 0:
        numerator, denominator = -numerator, -denominator
    if numerator <= 0 or denominator == 0:
        return None
    return half_even_div(numerator, denominator * E20_IN_E18)  # 10^-40 / 10^-30 is 10^-10.


class PartialSale(NamedTuple):
    """What to sell to restore a margin level, and what of it repays debt, 10^-16 of the quote."""

    sell_e16: int
    repay_e16: int


def partial_sale(
    assets_e28: int, debts_e28: int, target_e12: int, cost_e12: int
) -> PartialSale | None:
    """The least value to sell that brings the level to the target, or None: sell all (M10.4, V30).

    `cost_e12` is the taker fee and the liquidation fee together, which leave each sale's proceeds
    before it repays.  x = (R x D - A) / (R x (1 - phi) - 1), rounded up; the repayment down.
    """
    missing_e40 = target_e12 * debts_e28 - assets_e28 * E12
    if missing_e40 <= 0:
        return PartialSale(0, 0)
    gain_e24 = target_e12 * (E12 - cost_e12) - E12 * E12
    if gain_e24 <= 0:
        return None
    sell_e16 = ceil_div(missing_e40, gain_e24)
    if sell_e16 * E16_IN_E28 > assets_e28:
        return None
    return PartialSale(sell_e16, sell_e16 * (E12 - cost_e12) // E12)
