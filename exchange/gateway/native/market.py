"""Public questions: time, instruments, books, trades, candles, prices, funding, the audit."""

from __future__ import annotations

from typing import Any

from exchange.clock import ScaledClock, SystemClock
from exchange.gateway.calls import Caller
from exchange.gateway.doors import Doors
from exchange.gateway.native import asks
from exchange.gateway.native.auditing import audit_say
from exchange.gateway.native.filtering import filters_say
from exchange.gateway.native.orders import known_instrument
from exchange.gateway.native.showing import (
    book_say,
    candle_say,
    current_mark_say,
    ticker_say,
)
from exchange.gateway.native.translate import funding_say, trade_say
from exchange.gateway.past import candles_of, fundings_of, last_trades
from exchange.views.texts import rate_text
from exchange.wire import (
    AuditSay,
    BookSay,
    CandleSay,
    FeesSay,
    FeeTierSay,
    FundingSay,
    InstrumentSay,
    InstrumentsSay,
    MarkSay,
    TickerSay,
    TimeSay,
    TradeSay,
)
from exchange.wire.stream import ENV
from matching.instrument import Instrument, amount_text
from risk.parameters import Bracket, FeeSchedule, FeeTier, PerpParameters, SpotParameters


async def time(doors: Doors, ask: asks.NothingAsk, caller: Caller) -> TimeSay:
    """Both clocks and the speed."""
    return time_say(doors)


def time_say(doors: Doors) -> TimeSay:
    """The clocks as they stand; a speed without a ceiling is "max"."""
    clock = doors.clock
    speed = clock.speed
    paused = clock.paused if isinstance(clock, ScaledClock) else not isinstance(clock, SystemClock)
    return TimeSay(
        exchange_time=clock.now_ms(),
        wall_time=clock.wall_ms(),
        speed="max" if speed == float("inf") else speed or 0.0,
        paused=paused,
        env=ENV,
    )


async def instruments(doors: Doors, ask: asks.NothingAsk, caller: Caller) -> InstrumentsSay:
    """Every instrument with its rules, and every asset with what it costs to borrow."""
    venue = doors.engine.venue
    spots = {spot.symbol: spot for spot in venue.spots}
    perps = {perp.symbol: perp for perp in venue.perps}
    said = []
    for instrument in venue.instruments:
        state = doors.board.states[instrument.symbol]
        if instrument.kind == "spot":
            said.append(spot_say(instrument, spots[instrument.symbol], venue.fees, state))
        else:
            said.append(perp_say(instrument, perps[instrument.symbol], venue.fees, state))
    return InstrumentsSay(env=ENV, instruments=said, assets=[asset_say(a) for a in venue.assets])


def spot_say(
    instrument: Instrument, spot: SpotParameters, fees: FeeSchedule, state: str
) -> InstrumentSay:
    """A pair; its brackets are the tiers of its isolated margin."""
    tiers = [
        {
            "leverage": tier.leverage,
            "base_limit": amount_text(tier.base_limit_minor),
            "quote_limit": amount_text(tier.quote_limit_minor),
            "initial_level": rate_text(tier.initial_e12),
            "call_level": rate_text(tier.call_e12),
            "liquidation_level": rate_text(tier.liquidation_e12),
        }
        for tier in spot.isolated
    ]
    return _instrument_say(
        instrument,
        state,
        fees=fees.spot[0],
        margin=["cash", "cross", "isolated"] if tiers else ["cash", "cross"],
        max_leverage=max((tier.leverage for tier in spot.isolated), default=1),
        brackets=tiers,
    )


def perp_say(
    instrument: Instrument, perp: PerpParameters, fees: FeeSchedule, state: str
) -> InstrumentSay:
    """A perpetual with its brackets."""
    return _instrument_say(
        instrument,
        state,
        fees=fees.perp[0],
        margin=["cross", "isolated"],
        max_leverage=perp.leverage_max,
        brackets=[bracket_say(bracket) for bracket in perp.brackets],
        funding_interval_ms=perp.interval_ms,
    )


def bracket_say(bracket: Bracket) -> dict[str, Any]:
    """One slab of notional: its leverage and maintenance."""
    return {
        "floor": amount_text(bracket.floor_minor),
        "cap": amount_text(bracket.cap_minor),
        "leverage": bracket.leverage,
        "maintenance_rate": rate_text(bracket.mmr_e12),
        "maintenance_amount": amount_text(bracket.cum_e20, 20),
    }


def asset_say(asset: Any) -> dict[str, Any]:
    """One asset: the price of borrowing it and what it counts as collateral; `perp_ratio` is that
    on the perpetual wallet in multi-asset mode, 0 where it is not accepted."""
    return {
        "asset": asset.asset,
        "hourly_rate": rate_text(asset.hourly_rate_e12),
        "borrow_limit": amount_text(asset.borrow_limit_minor),
        "collateral": [
            {
                "cap": None if tier.cap_minor is None else amount_text(tier.cap_minor),
                "ratio": rate_text(tier.ratio_e12),
            }
            for tier in asset.collateral
        ],
        "perp_ratio": rate_text(asset.perp_ratio_e12),
    }


def _instrument_say(
    instrument: Instrument,
    state: str,
    *,
    fees: FeeTier,
    margin: list[str],
    max_leverage: int,
    brackets: list[dict[str, Any]],
    funding_interval_ms: int | None = None,
) -> InstrumentSay:
    market_lots_max = min(instrument.market_lots_max, instrument.lots_max)
    return InstrumentSay(
        symbol=instrument.symbol,
        kind=instrument.kind,
        base=instrument.base,
        quote=instrument.quote,
        settle=instrument.settle,
        tick=instrument.tick,
        lot=instrument.lot,
        qty_min=instrument.qty_text(instrument.lots_min),
        qty_max=instrument.qty_text(instrument.lots_max),
        market_qty_max=instrument.qty_text(market_lots_max),
        notional_min=amount_text(instrument.notional_min_minor),
        maker_fee=rate_text(fees.maker_e12),
        taker_fee=rate_text(fees.taker_e12),
        max_leverage=max_leverage,
        margin=margin,
        state=state,
        brackets=brackets,
        funding_interval_ms=funding_interval_ms,
        filters=filters_say(instrument),
        **_multiplier(instrument),
    )


def _multiplier(instrument: Instrument) -> dict[str, str]:
    """What a quantity of 1 of a contract is; a spot pair has none."""
    if instrument.kind == "spot":
        return {}
    asset = instrument.quote if instrument.kind == "inverse" else instrument.base
    return {"multiplier": instrument.multiplier, "multiplier_asset": asset}


async def fees(doors: Doors, ask: asks.NothingAsk, caller: Caller) -> FeesSay:
    """The fee schedule: tiers, rates and switches."""
    schedule = doors.engine.venue.fees
    discounting = schedule.asset == "discount"
    return FeesSay(
        fee_asset=schedule.asset,
        discount_asset=schedule.discount_asset if discounting else None,
        discount=rate_text(schedule.discount_e12 if discounting else 0),
        dust_fee=rate_text(schedule.dust_e12),
        spot=_tier_says(schedule.spot),
        perp=_tier_says(schedule.perp),
    )


def _tier_says(tiers: tuple[FeeTier, ...]) -> list[FeeTierSay]:
    return [
        FeeTierSay(
            tier=number,
            volume=amount_text(tier.volume_minor),
            maker=rate_text(tier.maker_e12),
            taker=rate_text(tier.taker_e12),
        )
        for number, tier in enumerate(tiers)
    ]


async def book(doors: Doors, ask: asks.DepthAsk, caller: Caller) -> BookSay:
    """Depth."""
    known_instrument(ask.symbol, doors.board.instruments)
    return book_say(doors.board, ask.symbol, ask.limit)


async def trades(doors: Doors, ask: asks.TradesAsk, caller: Caller) -> list[TradeSay]:
    """Trades, newest first."""
    instrument = known_instrument(ask.symbol, doors.board.instruments)
    found = await last_trades(doors, ask.symbol, ask.limit, ask.before_id)
    return [trade_say(trade, instrument) for trade in reversed(found)]


async def candles(doors: Doors, ask: asks.CandlesAsk, caller: Caller) -> list[CandleSay]:
    """Candles, oldest first; the running one is not closed."""
    instrument = known_instrument(ask.symbol, doors.board.instruments)
    running = doors.board.candles.current(ask.symbol, ask.interval)
    running_ms = running.open_ms if running is not None else 0
    found = await candles_of(doors, ask.symbol, ask.interval, ask.start_ms, ask.end_ms, ask.limit)
    return [
        candle_say(instrument, ask.interval, candle, candle.open_ms < running_ms)
        for candle in found
    ]


async def ticker(doors: Doors, ask: asks.SymbolAsk, caller: Caller) -> TickerSay:
    """A day in a line."""
    known_instrument(ask.symbol, doors.board.instruments)
    return ticker_say(doors.board, ask.symbol)


async def mark(doors: Doors, ask: asks.SymbolAsk, caller: Caller) -> MarkSay:
    """Index, mark and the funding to come."""
    known_instrument(ask.symbol, doors.board.instruments)
    return current_mark_say(doors.board, ask.symbol)


async def funding(doors: Doors, ask: asks.FundingAsk, caller: Caller) -> list[FundingSay]:
    """Funding rates, newest first; a spot pair has none."""
    known_instrument(ask.symbol, doors.board.instruments)
    end_ms = None if ask.before_ms is None else ask.before_ms - 1
    found = await fundings_of(doors, ask.symbol, ask.limit, None, end_ms)
    return [funding_say(event) for event in reversed(found)]


async def audit(doors: Doors, ask: asks.NothingAsk, caller: Caller) -> AuditSay:
    """What the auditor found."""
    return audit_say(doors.auditor.look())
