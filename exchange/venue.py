"""The default venue: its assets, pairs, contracts and their parameters (MECHANICS section 6)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from matching.instrument import Instrument, minor
from risk.money import E12
from risk.parameters import (
    HOUR_MS,
    AssetParameters,
    Bracket,
    CollateralTier,
    FeeAsset,
    FeeSchedule,
    Grant,
    IsolatedTier,
    PerpParameters,
    Prices,
    SpotParameters,
    Venue,
    brackets,
    impact_notional_minor,
)

QUOTE: Final = "USDT"
MAJORS: Final = frozenset({"BTC", "ETH", "SOL", "BNB"})  # Whose takers keep to 10 % of reference.

# Asset, start price in USDT, hourly rate in percent, collateral ratio, value the ratio holds to,
# and what counts of it on the perpetual wallet in multi-asset mode (P18; 0: not accepted).
ASSETS: Final = (
    ("USDT", "1", "0.0010", "1.00", "", "1"),
    ("BTC", "50000", "0.0003", "0.98", "10000000", "0.95"),
    ("ETH", "2500", "0.0004", "0.97", "5000000", "0.95"),
    ("SOL", "100", "0.0008", "0.92", "2000000", "0.90"),
    ("BNB", "300", "0.0008", "0.92", "2000000", "0.95"),
    ("XRP", "0.5", "0.0012", "0.88", "1000000", "0.85"),
    ("DOGE", "0.1", "0.0012", "0.88", "1000000", "0.85"),
    ("LTC", "80", "0.0012", "0.88", "1000000", "0.85"),
    ("LINK", "15", "0.0012", "0.88", "1000000", "0.85"),
    ("AVAX", "30", "0.0015", "0.85", "500000", "0.80"),
    ("ADA", "0.5", "0.0015", "0.85", "500000", "0.80"),
    ("NEAR", "4", "0.0020", "0.75", "250000", "0.70"),
    ("ARB", "1", "0.0020", "0.75", "250000", "0.70"),
    ("INJ", "20", "0.0020", "0.75", "250000", "0.70"),
    ("CHZ", "0.1", "0.0035", "0.60", "100000", "0"),
    ("GALA", "0.03", "0.0035", "0.60", "100000", "0"),
)

# Base, quote, tick, lot, and the loan tiers: (leverage, limit of the quote loan in USDT).
_MAJOR_TIERS: Final = ((10, "90000"), (8, "180000"), (5, "500000"), (3, "2000000"))
SPOTS: Final = (
    ("BTC", "USDT", "0.01", "0.00001", _MAJOR_TIERS),
    ("ETH", "USDT", "0.01", "0.0001", _MAJOR_TIERS),
    ("SOL", "USDT", "0.01", "0.001", ((5, "50000"), (3, "200000"))),
    ("BNB", "USDT", "0.01", "0.001", ((5, "50000"), (3, "200000"))),
    ("XRP", "USDT", "0.0001", "0.1", ((5, "50000"), (3, "200000"))),
    ("DOGE", "USDT", "0.00001", "1", ((5, "30000"), (3, "100000"))),
    ("LTC", "USDT", "0.01", "0.001", ((5, "50000"), (3, "200000"))),
    ("LINK", "USDT", "0.01", "0.01", ((5, "30000"), (3, "100000"))),
    ("AVAX", "USDT", "0.01", "0.01", ((5, "30000"), (3, "100000"))),
    ("ADA", "USDT", "0.0001", "0.1", ((3, "20000"),)),
    ("NEAR", "USDT", "0.001", "0.01", ((3, "20000"),)),
    ("ARB", "USDT", "0.0001", "0.1", ((3, "20000"),)),
    ("INJ", "USDT", "0.001", "0.01", ((3, "20000"),)),
    ("CHZ", "USDT", "0.00001", "1", ((3, "10000"),)),
    ("GALA", "USDT", "0.00001", "1", ((3, "10000"),)),
    ("ETH", "BTC", "0.00001", "0.001", _MAJOR_TIERS),
)

# Leverage: initial, margin-call and liquidation ratios of isolated margin (M4).
ISOLATED_RATIOS: Final = {
    10: ("1.11", "1.09", "1.05"),
    8: ("1.143", "1.11", "1.07"),
    5: ("1.25", "1.18", "1.15"),
    3: ("1.50", "1.35", "1.18"),
}

# Base, tick, lot, cap of the last bracket, and rows of floor (USDT), leverage, maintenance rate.
_SMALL_BRACKETS: Final = (
    ("0", 125, "0.004"),
    ("50000", 100, "0.005"),
    ("600000", 75, "0.0065"),
    ("3000000", 50, "0.01"),
    ("12000000", 25, "0.02"),
)
PERPS: Final = (
    (
        *("BTC", "0.1", "0.001", "1800000000"),
        (
            *_SMALL_BRACKETS,
            ("70000000", 20, "0.025"),
            ("100000000", 10, "0.05"),
            ("230000000", 5, "0.1"),
            ("480000000", 4, "0.125"),
            ("600000000", 3, "0.15"),
            ("800000000", 2, "0.25"),
            ("1200000000", 1, "0.5"),
        ),
    ),
    (
        *("ETH", "0.01", "0.001", "1200000000"),
        (
            *_SMALL_BRACKETS,
            ("50000000", 20, "0.025"),
            ("65000000", 10, "0.05"),
            ("150000000", 5, "0.1"),
            ("320000000", 4, "0.125"),
            ("400000000", 3, "0.15"),
            ("530000000", 2, "0.25"),
            ("800000000", 1, "0.5"),
        ),
    ),
    (
        *("SOL", "0.01", "0.1", "400000000"),
        (
            ("0", 100, "0.005"),
            ("20000", 75, "0.0065"),
            ("100000", 50, "0.01"),
            ("800000", 25, "0.02"),
            ("4000000", 20, "0.025"),
            ("8000000", 10, "0.05"),
            ("40000000", 5, "0.1"),
            ("80000000", 4, "0.125"),
            ("100000000", 2, "0.25"),
            ("200000000", 1, "0.5"),
        ),
    ),
)

# The inverse contracts: base, tick, what one is worth in USD, and brackets in coin. The design's
# table names no last cap; it is half as much again as the last floor, as that of BTC above.
INVERSES: Final = (
    (
        *("BTC", "0.1", "100", "2250"),
        (
            ("0", 125, "0.004"),
            ("5", 100, "0.005"),
            ("10", 50, "0.01"),
            ("20", 20, "0.025"),
            ("50", 10, "0.05"),
            ("100", 5, "0.1"),
            ("200", 4, "0.125"),
            ("400", 3, "0.15"),
            ("1000", 2, "0.25"),
            ("1500", 1, "0.5"),
        ),
    ),
)
INVERSE_QUOTE: Final = "USD"  # Counts as the venue's quote: the index is that of the USDT pair.

DEPOSIT: Final = "100000"  # What a new account finds in spot, and again in perp.
INSURANCE: Final = "1000000"
COIN_INSURANCE: Final = "10"  # Of each coin that an inverse contract settles in.
MARGIN_INSURANCE: Final = "500000"
IMPACT_MARGIN: Final = "200"  # P8: the margin whose notional at the largest leverage is walked.
NOTIONAL_MIN: Final = "5"
PAST_TRADES: Final = 1_200  # Of each instrument before the first moment (DESIGN section 5).
BASE_LOAN_TIMES: Final = 4  # 7.2 BTC beside 90,000 USDT: a base loan may be worth four quote loans.
POOL_TIMES: Final = 20  # The pool of an asset holds twenty times what counts in full as collateral,
POOL_USDT: Final = "200000000"
LIMIT_SHARE: Final = 40  # of which one account may owe a fortieth.


def default_venue(  # noqa: PLR0913 - Each is a choice of the configuration.
    seed: int,
    start_ms: int,
    *,
    symbols: Iterable[str] | None = None,
    funding_interval_ms: int | None = None,
    prices: Prices = "walk",
    spot_fee: FeeAsset = "received",
    discount_asset: str = "BNB",
    market: Mapping[str, int | str] | None = None,
    name: str = "papertape",
) -> Venue:
    """The venue of MECHANICS section 6 and DESIGN section 5, or only some of its instruments.

    A perpetual or a pair against BTC draws its index and its liquidations from the USDT pairs of
    its assets, so those pairs come with it, as does that of an asset in which fees are paid.
    ValueError for a symbol that is not known.
    """
    chosen = _chosen(symbols)
    if spot_fee == "discount":
        chosen |= _chosen([f"{discount_asset}-{QUOTE}"])
    spots = [row for row in SPOTS if f"{row[0]}-{row[1]}" in chosen]
    perps = [row for row in PERPS if f"{row[0]}-{QUOTE}-PERP" in chosen]
    inverses = [row for row in INVERSES if f"{row[0]}-{INVERSE_QUOTE}-PERP" in chosen]
    traded = {QUOTE, *(row[0] for row in spots), *(row[1] for row in spots)}
    interval_ms = 8 * HOUR_MS if funding_interval_ms is None else funding_interval_ms
    if interval_ms <= 0 or interval_ms % 1_000:
        raise ValueError("the funding interval must be a whole number of seconds")
    return Venue(
        name=name,
        seed=seed,
        start_ms=start_ms,
        assets=tuple(_asset(*row) for row in ASSETS if row[0] in traded),
        instruments=(
            *(_spot_instrument(*row[:4]) for row in spots),
            *(_perp_instrument(*row[:3]) for row in perps),
            *(_inverse_instrument(*row[:3]) for row in inverses),
        ),
        spots=tuple(_spot(row[0], row[1], row[4]) for row in spots),
        perps=tuple(
            _perp(f"{row[0]}-{quote}-PERP", row[3], row[4], interval_ms)
            for rows, quote in ((perps, QUOTE), (inverses, INVERSE_QUOTE))
            for row in rows
        ),
        deposits=tuple(Grant(wallet, QUOTE, _amount(DEPOSIT)) for wallet in ("spot", "perp")),
        insurance_minor=_amount(INSURANCE),
        coin_insurance=_coin_insurance(row[0] for row in inverses),
        margin_insurance_minor=_amount(MARGIN_INSURANCE),
        book_weight=0 if prices == "fixed" else 1,
        past_trades=PAST_TRADES if (market or {}).get("history") else 0,
        prices=prices,
        fees=FeeSchedule(asset=spot_fee, discount_asset=discount_asset),
        market=dict(market or {}),
    )


def _coin_insurance(coins: Iterable[str]) -> tuple[Grant, ...]:
    """What the fund of each inverse contract starts with."""
    return tuple(Grant(f"perp:{coin}", coin, _amount(COIN_INSURANCE)) for coin in coins)


def known_symbols() -> tuple[str, ...]:
    """Every instrument the default venue can have, spot first."""
    return (
        *(f"{row[0]}-{row[1]}" for row in SPOTS),
        *(f"{row[0]}-{QUOTE}-PERP" for row in PERPS),
        *(f"{row[0]}-{INVERSE_QUOTE}-PERP" for row in INVERSES),
    )


def _chosen(symbols: Iterable[str] | None) -> frozenset[str]:
    """The instruments asked for and the USDT pairs they lean on; ValueError for a stranger."""
    known = known_symbols()
    if symbols is None:
        return frozenset(known)
    asked = list(symbols)
    strangers = [symbol for symbol in asked if symbol not in known]
    if strangers or not asked:
        raise ValueError(f"no such instrument: {', '.join(strangers) or 'none was named'}")
    legs = {leg for symbol in asked for leg in symbol.split("-")[:2]} - {QUOTE, INVERSE_QUOTE}
    return frozenset(asked) | {f"{leg}-{QUOTE}" for leg in legs}


def _amount(text: str, scale: int = 8) -> int:
    """Decimal text of this module's tables as an integer of 10^-scale."""
    number = minor(text, scale)
    assert isinstance(number, int), text
    return number


def _rate_e12(text: str) -> int:
    """A fraction as an integer of 10^-12."""
    return _amount(text, 12)


def _start_price_e8(asset: str) -> int:
    """What one of an asset costs in USDT at the venue's first moment, 10^-8."""
    return next(_amount(row[1]) for row in ASSETS if row[0] == asset)


def _worth(usdt_minor: int, asset: str) -> int:
    """How much of an asset that many USDT buy at the start price, in minor units."""
    return usdt_minor * 10**8 // _start_price_e8(asset)


def _asset(
    asset: str, price: str, percent: str, ratio: str, cap: str, perp_ratio: str
) -> AssetParameters:
    """An asset of the table; ratios fall by 0.10 to 4 x the cap and by 0.30 to 10 x (section 6)."""
    ratio_e12 = _rate_e12(ratio)
    tiers: tuple[CollateralTier, ...]
    if cap:
        cap_minor = _amount(cap)
        tiers = (
            CollateralTier(cap_minor, ratio_e12),
            CollateralTier(4 * cap_minor, ratio_e12 - _rate_e12("0.10")),
            CollateralTier(10 * cap_minor, ratio_e12 - _rate_e12("0.30")),
        )
        pool_minor = _worth(POOL_TIMES * cap_minor, asset)
    else:
        tiers, pool_minor = (CollateralTier(None, ratio_e12),), _amount(POOL_USDT)
    return AssetParameters(
        asset=asset,
        start_price_e8=_amount(price),
        hourly_rate_e12=_rate_e12(percent) // 100,
        collateral=tiers,
        pool_capital_minor=pool_minor,
        borrow_limit_minor=pool_minor // LIMIT_SHARE,
        perp_ratio_e12=_rate_e12(perp_ratio),
    )


def _spot_instrument(base: str, quote: str, tick: str, lot: str) -> Instrument:
    """A spot pair; what is said in USDT holds for a quote of the same worth."""
    wide: dict[str, Any] = {}
    if base not in MAJORS:
        wide = {"execution_up_e4": 12_500, "execution_down_e4": 7_500}
    return Instrument(
        symbol=f"{base}-{quote}",
        kind="spot",
        base=base,
        quote=quote,
        settle=quote,
        tick=tick,
        lot=lot,
        notional_min_minor=_worth(_amount(NOTIONAL_MIN), quote),
        **wide,
    )


# The order prices of a perpetual keep to the index (S12), not to a percent filter.
_NO_PRICE_FILTERS: Final[dict[str, Any]] = {
    "bid_up_e4": 0,
    "bid_down_e4": 0,
    "ask_up_e4": 0,
    "ask_down_e4": 0,
    "execution_up_e4": 0,
    "execution_down_e4": 0,
}


def _perp_instrument(base: str, tick: str, lot: str) -> Instrument:
    """A linear perpetual."""
    return Instrument(
        symbol=f"{base}-{QUOTE}-PERP",
        kind="linear",
        base=base,
        quote=QUOTE,
        settle=QUOTE,
        tick=tick,
        lot=lot,
        notional_min_minor=_amount(NOTIONAL_MIN),
        **_NO_PRICE_FILTERS,
    )


def _inverse_instrument(base: str, tick: str, face: str) -> Instrument:
    """An inverse perpetual: so many dollars a contract, settled in its base."""
    return Instrument(
        symbol=f"{base}-{INVERSE_QUOTE}-PERP",
        kind="inverse",
        base=base,
        quote=INVERSE_QUOTE,
        settle=base,
        tick=tick,
        lot="1",
        multiplier=face,
        notional_min_minor=_amount(NOTIONAL_MIN),
        **_NO_PRICE_FILTERS,
    )


def _spot(base: str, quote: str, tiers: tuple[tuple[int, str], ...]) -> SpotParameters:
    """A pair's isolated tiers, limits turned from USDT into its own two assets."""
    return SpotParameters(
        symbol=f"{base}-{quote}",
        isolated=tuple(
            _isolated_tier(leverage, _worth(_amount(limit), quote), _worth(_amount(limit), base))
            for leverage, limit in tiers
        ),
    )


def _isolated_tier(leverage: int, quote_limit_minor: int, base_worth_minor: int) -> IsolatedTier:
    """One tier: the levels of its leverage, and the limits of its two loans."""
    initial_e12, call_e12, liquidation_e12 = map(_rate_e12, ISOLATED_RATIOS[leverage])
    return IsolatedTier(
        leverage=leverage,
        initial_e12=initial_e12,
        call_e12=call_e12,
        liquidation_e12=liquidation_e12,
        base_limit_minor=BASE_LOAN_TIMES * base_worth_minor,
        quote_limit_minor=quote_limit_minor,
    )


def _perp(
    symbol: str, cap: str, rows: tuple[tuple[str, int, str], ...], interval_ms: int
) -> PerpParameters:
    """A perpetual's parameters from its bracket table."""
    made: tuple[Bracket, ...] = brackets(
        [(_amount(floor), leverage, _rate_e12(mmr)) for floor, leverage, mmr in rows],
        _amount(cap),
    )
    return PerpParameters(
        symbol=symbol,
        brackets=made,
        impact_notional_minor=impact_notional_minor(
            _amount(IMPACT_MARGIN), E12 // made[0].leverage
        ),
        interval_ms=interval_ms,
    )
