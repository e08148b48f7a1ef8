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
from risk.money import E12

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS

Prices = Literal["walk", "fixed", "tape"]


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


class AssetParameters(msgspec.Struct, frozen=True, gc=False):
    """An asset: what borrowing it costs, what it counts as collateral, what the pool lends."""

    asset: str
    start_price_e8: int  # In USDT, at the venue's first moment.
    hourly_rate_e12: int
    collateral: tuple[CollateralTier, ...]
    pool_capital_minor: int
    borrow_limit_minor: int  # Principal of one account, all wallets together.
    scale: int = 8


class IsolatedTier(msgspec.Struct, frozen=True, gc=False):
    """The levels of an isolated margin pair while its debts stay within two limits (M4)."""

    leverage: int
    initial_e12: int  # IRR: borrowing and transfers out need more than this.
    call_e12: int  # MCR
    liquidation_e12: int  # LR
    base_limit_minor: int
    quote_limit_minor: int


class SpotParameters(msgspec.Struct, frozen=True, gc=False):
    """A spot pair as margin trading sees it: its loan tiers and how it is liquidated (M10)."""

    symbol: str
    isolated: tuple[IsolatedTier, ...]
    liquidation_bands_bps: tuple[int, ...] = (100, 300, 500)  # A round each, then takeover.
    liquidation_fee_e12: int = E12 // 100
    takeover_e12: int = E12 * 102 // 100  # At or below this level the venue takes over at once.


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


class FeeSchedule(msgspec.Struct, frozen=True, gc=False):
    """The fee rates of everybody, as fractions."""

    spot_maker_e12: int = E12 // 1_000
    spot_taker_e12: int = E12 // 1_000
    perp_maker_e12: int = E12 * 2 // 10_000
    perp_taker_e12: int = E12 * 5 // 10_000
    spot_in_quote: bool = False  # A switch (S10): a buyer too pays in quote, not in what it got.

    @property
    def spot_hold_e12(self) -> int:
        """What a spot buy keeps back for its fee, on top of its cost."""
        return max(self.spot_maker_e12, self.spot_taker_e12) if self.spot_in_quote else 0


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
    insurance_minor: int = 0  # Of the perpetuals' fund, in the quote.
    margin_insurance_minor: int = 0  # Of spot margin's fund, in the quote.

    feeds: tuple[str, ...] = ("reference",)  # Names of the outside price feeds.
    feed_weight: int = 2  # In the index; with `fixed` prices the feed stands alone.
    book_weight: int = 1
    stale_ms: int = 10_000  # A price older than this leaves the index (P6).
    grid_ms: int = 1_000  # Index and mark are computed on this grid,
    sample_ms: int = 5_000  # premium and basis samples on this one.
    basis_samples: int = 30
    call_repeat_ms: int = DAY_MS  # A margin call is repeated at most this often (M9).

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
            assert {instrument.base, instrument.quote, instrument.settle} <= names
        for perp in self.perps:
            check_brackets(perp.brackets)
            assert perp.interval_ms % self.grid_ms == 0, "funding falls on the grid"
