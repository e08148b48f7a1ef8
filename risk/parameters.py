"""The risk parameters of a venue: brackets, collateral weights, rates, fees, levels and funds.

`Venue` is the genesis record: together with the commands it determines every state the exchange
can reach.  Everything is an integer (units as in `risk.money`) and passes through JSON unchanged.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final, Literal

import msgspec

from matching.instrument import Instrument
from risk.money import E8, E12

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS

Prices = Literal["walk", "fixed", "tape"]
IndexRule = Literal["weighted_median", "outlier_mean"]
ContractLeg = Literal["median", "last"]
FirstCharge = Literal["borrow", "next_hour"]
Surplus = Literal["user", "fund"]


class Bracket(msgspec.Struct, frozen=True, gc=False):
    """One slab of notional of a perpetual (P3): its largest leverage and maintenance rate.

    `cap_minor` is the largest notional that leverage is allowed at, inclusive.  `cum_e20` makes
    notional x mmr - cum continuous: minor x 10^-12, hence exact in 10^-20 of the quote.
    """

    floor_minor: int
    cap_minor: int
    leverage: int
    mmr_e12: int
    cum_e20: int = 0


def next_cum_e20(cum_e20: int, floor_minor: int, previous_mmr_e12: int, mmr_e12: int) -> int:
    """The maintenance amount of a bracket from the one before (P3)."""
    return cum_e20 + floor_minor * (mmr_e12 - previous_mmr_e12)


def brackets(rows: Sequence[tuple[int, int, int]], cap_minor: int) -> tuple[Bracket, ...]:
    """Brackets from rows of (floor_minor, leverage, mmr_e12) and the last one's cap.

    The maintenance amounts are derived, never typed (T5), and I11 is asserted.
    """
    assert rows
    assert rows[0][0] == 0, "the first bracket starts at nothing"
    caps = [row[0] for row in rows[1:]] + [cap_minor]
    made: list[Bracket] = []
    for (floor_minor, leverage, mmr_e12), cap in zip(rows, caps, strict=True):
        cum_e20 = 0
        if made:
            last = made[-1]
            cum_e20 = next_cum_e20(last.cum_e20, floor_minor, last.mmr_e12, mmr_e12)
        made.append(Bracket(floor_minor, cap, leverage, mmr_e12, cum_e20))
    check_brackets(made)
    return tuple(made)


def check_brackets(made: Sequence[Bracket]) -> None:
    """Assert I11: floors and rates rise, requirements join, initial exceeds maintenance."""
    for bracket in made:
        assert bracket.floor_minor < bracket.cap_minor, bracket
        assert 0 < bracket.leverage * bracket.mmr_e12 < E12, bracket
    for low, high in pairwise(made):
        assert low.cap_minor == high.floor_minor, (low, high)
        assert low.mmr_e12 < high.mmr_e12, (low, high)
        assert low.leverage >= high.leverage, (low, high)
        assert (
            high.floor_minor * low.mmr_e12 - low.cum_e20
            == high.floor_minor * high.mmr_e12 - high.cum_e20
        ), (low, high)


class CollateralTier(msgspec.Struct, frozen=True, gc=False):
    """One slab of an asset's value and the share of it that counts as collateral (M3).

    `cap_minor` is the slab's upper end in minor USDT, None for no end; what lies above the last
    slab counts nothing.
    """

    cap_minor: int | None
    ratio_e12: int


class RateCurve(msgspec.Struct, frozen=True, gc=False):
    """An hourly rate that rises with the share of the pool that is lent, e12 throughout.

    From `base` it rises by `slope` up to the kink, and from there by `steep` to the last unit.
    """

    base_e12: int
    kink_e12: int
    slope_e12: int
    steep_e12: int


class AssetParameters(msgspec.Struct, frozen=True, gc=False):
    """An asset: what borrowing it costs, what it counts as collateral, what the pool lends."""

    asset: str
    start_price_e8: int  # In USDT, at the venue's first moment.
    hourly_rate_e12: int  # Of a pool without a curve.
    collateral: tuple[CollateralTier, ...]
    pool_capital_minor: int
    borrow_limit_minor: int  # Principal of one account, all wallets together.
    scale: int = 8
    curve: RateCurve | None = None
    perp_ratio_e12: int = 0  # What counts of it in multi-asset mode (P18); 0: not accepted.


class IsolatedTier(msgspec.Struct, frozen=True, gc=False):
    """The levels of an isolated margin pair while its debts stay within two limits (M4)."""

    leverage: int
    initial_e12: int  # IRR: borrowing needs more than this.
    call_e12: int  # MCR
    liquidation_e12: int  # LR
    base_limit_minor: int
    quote_limit_minor: int


def check_loan_tiers(tiers: Sequence[IsolatedTier]) -> None:
    """Assert that larger loans come with stricter levels, and each tier with its own in order."""
    for tier in tiers:
        assert E12 < tier.liquidation_e12 < tier.call_e12 < tier.initial_e12, tier
    for small, large in pairwise(tiers):
        assert small.base_limit_minor < large.base_limit_minor, (small, large)
        assert small.quote_limit_minor < large.quote_limit_minor, (small, large)
        assert small.initial_e12 <= large.initial_e12, (small, large)
        assert small.liquidation_e12 <= large.liquidation_e12, (small, large)


class SpotParameters(msgspec.Struct, frozen=True, gc=False):
    """A spot pair as margin trading sees it: its loan tiers and how it is liquidated (M10)."""

    symbol: str
    isolated: tuple[IsolatedTier, ...]
    liquidation_bands_bps: tuple[int, ...] = (100, 300, 500)  # A round each, then takeover.
    liquidation_fee_e12: int = E12 // 100
    takeover_e12: int = E12 * 102 // 100  # At or below this level the venue takes over at once.


def impact_notional_minor(margin_minor: int, imr_e12: int) -> int:
    """What an impact price walks: the notional a margin carries at an initial margin rate (P8)."""
    return margin_minor * E12 // imr_e12


class PerpParameters(msgspec.Struct, frozen=True, gc=False):
    """A perpetual contract: its brackets, funding rule, mark and order price bands."""

    symbol: str
    brackets: tuple[Bracket, ...]
    impact_notional_minor: int  # P8: 200 USDT / initial margin rate at the largest leverage.
    interval_ms: int = 8 * HOUR_MS
    interest_e12: int = E12 // 10_000  # Per 8 hours, as are the clamp and the cap (P9).
    clamp_e12: int = E12 * 5 // 10_000
    cap_k_e12: int = E12 * 3 // 4
    mark_band_e12: int = E12 * 5 // 100
    entry_band_e12: int = E12 * 2 // 100  # Y of S12.
    entry_limit_e12: int = E12 * 5 // 100  # Z of S12.
    liquidation_fee_e12: int = E12 * 5 // 1_000
    price_protect_e12: int = E12 * 5 // 100  # P16: protected triggers need last this near the mark.

    @property
    def leverage_max(self) -> int:
        """The largest leverage, that of the smallest positions."""
        return self.brackets[0].leverage


class CrossLevels(msgspec.Struct, frozen=True, gc=False):
    """The margin levels of a cross margin account by its leverage (M4); bounds are inclusive
    on the bad side: exactly at `transfer` nothing may leave, exactly at `liquidation` it falls.
    """

    leverage: int
    transfer_e12: int
    borrow_e12: int
    call_e12: int
    liquidation_e12: int
    restored_e12: int  # A liquidation stops as soon as the level reaches this (section 9).


CROSS_LEVELS: Final = (
    CrossLevels(3, E12 * 2, E12 * 150 // 100, E12 * 130 // 100, E12 * 110 // 100, E12 * 150 // 100),
    CrossLevels(5, E12 * 2, E12 * 125 // 100, E12 * 116 // 100, E12 * 110 // 100, E12 * 125 // 100),
)


FeeAsset = Literal["received", "quote", "discount"]
FeeKind = Literal["spot", "perp"]


class FeeTier(msgspec.Struct, frozen=True, gc=False):
    """The rates of those whose 30-day quote volume is `volume_minor` or more; a negative maker
    rate is a rebate."""

    volume_minor: int
    maker_e12: int
    taker_e12: int


def fee_tiers(rows: Sequence[tuple[int, int, int]]) -> tuple[FeeTier, ...]:
    """Tiers from rows of (volume in millions, maker, taker in thousandths of a percent)."""
    million, e5 = 1_000_000 * E8, E12 // 100_000
    return tuple(FeeTier(volume * million, maker * e5, taker * e5) for volume, maker, taker in rows)


SPOT_TIERS: Final = fee_tiers(
    ((0, 100, 100), (1, 90, 100), (5, 80, 90), (20, 60, 80), (100, 20, 50))
)
PERP_TIERS: Final = fee_tiers(((0, 20, 50), (5, 16, 45), (25, 12, 40), (100, 6, 35), (500, 0, 30)))


class FeeSchedule(msgspec.Struct, frozen=True, gc=False):
    """What trades cost (S10): tiers by 30-day volume, and what the fee of a spot trade is paid in.

    `asset` is a switch of the venue: "received" (a buyer pays base), "quote" (a buyer too pays
    quote), or "discount": who asks for it pays in `discount_asset`, less by `discount_e12`.
    """

    spot: tuple[FeeTier, ...] = SPOT_TIERS
    perp: tuple[FeeTier, ...] = PERP_TIERS
    asset: FeeAsset = "received"
    discount_asset: str = "BNB"
    discount_e12: int = E12 // 4
    dust_e12: int = E12 * 2 // 100  # Of what dust is worth when the house takes it.

    def __post_init__(self) -> None:
        assert 0 <= self.discount_e12 < E12
        assert 0 <= self.dust_e12 < E12
        kept_e12 = E12 - self.discount_e12 if self.asset == "discount" else E12
        for tiers, least_e12 in ((self.spot, kept_e12), (self.perp, E12)):
            check_tiers(tiers, least_e12)

    def tiers(self, kind: FeeKind) -> tuple[FeeTier, ...]:
        """The tiers of spot trades or of perpetual ones, the lowest first."""
        return self.spot if kind == "spot" else self.perp

    @property
    def spot_hold_e12(self) -> int:
        """What a spot buy keeps back for its fee, on top of its cost.

        The highest rate of any tier: an order may rest for longer than its owner's tier lasts.
        """
        if self.asset != "quote":
            return 0
        return max(max(tier.maker_e12, tier.taker_e12) for tier in self.spot)


def check_tiers(tiers: Sequence[FeeTier], kept_e12: int) -> None:
    """Assert that volumes rise, rates fall, and no maker is given more than any taker pays.

    `kept_e12` is the share of its fee that a taker pays at least.
    """
    assert tiers[0].volume_minor == 0, "the first tier is everybody's"
    for tier in tiers:
        assert -E12 < tier.maker_e12 < E12, tier
        assert 0 <= tier.taker_e12 < E12, tier
    for low, high in pairwise(tiers):
        assert low.volume_minor < high.volume_minor, (low, high)
        assert low.maker_e12 >= high.maker_e12, (low, high)
        assert low.taker_e12 >= high.taker_e12, (low, high)
    assert tiers[-1].maker_e12 * E12 + tiers[-1].taker_e12 * kept_e12 >= 0, tiers[-1]


class Grant(msgspec.Struct, frozen=True, gc=False):
    """Money an account or a fund starts with."""

    wallet: str
    asset: str
    amount_minor: int


class Venue(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a venue is before its first command: the genesis record."""

    name: str
    seed: int
    start_ms: int
    assets: tuple[AssetParameters, ...]
    instruments: tuple[Instrument, ...]
    spots: tuple[SpotParameters, ...]
    perps: tuple[PerpParameters, ...]
    fees: FeeSchedule = FeeSchedule()
    cross: tuple[CrossLevels, ...] = CROSS_LEVELS
    quote: str = "USDT"  # What values are told in, and pairs are joined by.
    deposits: tuple[Grant, ...] = ()  # What a new account is given.
    insurance_minor: int = 0  # Of the perpetuals' fund, in the quote,
    coin_insurance: tuple[Grant, ...] = ()  # and in the coins that inverse contracts settle in.
    margin_insurance_minor: int = 0  # Of spot margin's fund, in the quote.

    feeds: tuple[str, ...] = ("reference",)  # Names of the outside price feeds.
    feed_weight: int = 2  # In the index; with `fixed` prices the feed stands alone.
    book_weight: int = 1
    index_rule: IndexRule = "weighted_median"  # A switch (P6, V60): or the mean but for an outlier,
    outlier_e12: int = E12 * 5 // 100  # which lies further than this from the median.
    contract_leg: ContractLeg = "median"  # A switch (P7): of bid, ask and last, or the last alone.
    stale_ms: int = 10_000  # A price older than this leaves the index (P6).
    grid_ms: int = 1_000  # Index and mark are computed on this grid,
    sample_ms: int = 5_000  # premium and basis samples on this one.
    basis_samples: int = 30
    call_repeat_ms: int = DAY_MS  # A margin call is repeated at most this often (M9).
    first_charge: FirstCharge = "borrow"  # When a loan is first charged interest (M7, V17).
    compound: bool = False  # Whether interest that is owed bears interest itself (M7, V27).
    surplus: Surplus = "user"  # Who keeps what a closed perpetual liquidation leaves (V72).
    socialized_loss: bool = False  # Whether what nobody can pay may be a loss for all (P13.8).
    convert_above_minor: int = 10_000 * E8  # Multi-asset: more owed than this is converted (P18),
    convert_share_e12: int = E12 // 2  # at the index less this share of the asset's haircut.

    past_trades: int = 0  # Of each instrument, told of the time before; live ids follow them.
    prices: Prices = "walk"
    market: dict[str, int | str] = {}  # Options of the living market.

    def __post_init__(self) -> None:
        names = {asset.asset for asset in self.assets}
        symbols = [instrument.symbol for instrument in self.instruments]
        told = [spot.symbol for spot in self.spots] + [perp.symbol for perp in self.perps]
        assert self.quote in names
        assert len(names) == len(self.assets), "an asset is named twice"
        assert len(set(symbols)) == len(symbols), "an instrument is named twice"
        assert sorted(symbols) == sorted(told), "each instrument has its parameters, once"
        assert self.sample_ms % self.grid_ms == 0, "samples fall on the grid"
        for instrument in self.instruments:
            assert {instrument.base, instrument.settle} <= names
            assert instrument.kind == "inverse" or instrument.quote in names
            assert instrument.kind != "linear" or instrument.settle == self.quote
            pair = f"{instrument.base}-{self.quote}"
            assert instrument.kind == "spot" or pair in symbols, "a perpetual follows an index"
        coins = [each.settle for each in self.instruments if each.kind == "inverse"]
        assert len(set(coins)) == len(coins), "each coin wallet has one inverse contract"
        for each in self.assets:
            assert each.curve is None or 0 < each.curve.kink_e12 < E12, each.asset
            assert 0 <= each.perp_ratio_e12 <= E12, each.asset
            assert each.asset != self.quote or each.perp_ratio_e12 in (0, E12), "it counts whole"
            index = f"{each.asset}-{self.quote}"
            assert each.asset == self.quote or not each.perp_ratio_e12 or index in symbols, index
        assert self.convert_above_minor >= 0
        assert 0 <= self.convert_share_e12 <= E12, "a conversion never costs more than the haircut"
        for spot in self.spots:
            check_loan_tiers(spot.isolated)
        if self.fees.asset == "discount":
            assert self.fees.discount_asset in names, "fees are paid in an asset of the venue"
        for perp in self.perps:
            check_brackets(perp.brackets)
            assert perp.interval_ms % self.grid_ms == 0, "funding falls on the grid"
