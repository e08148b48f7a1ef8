"""The same stake both ways: the public question, and its answer as a native message."""

from __future__ import annotations

from typing import Final

from exchange.comparing import Comparison, Outcome, Stake, Way, compare
from exchange.gateway.calls import Caller, refusal
from exchange.gateway.doors import Doors
from exchange.gateway.native.amounts import positive_minor
from exchange.gateway.native.asks import CompareAsk
from exchange.views.texts import rate_text
from exchange.wire import CompareSay, OutcomeSay, WaySay
from exchange.wire.stream import ENV
from matching.instrument import amount_text, fixed_text
from matching.reasons import Reason
from matching.types import Side
from risk.money import half_even_div

PERCENT_E2: Final = 10_000


async def compare_stake(doors: Doors, ask: CompareAsk, caller: Caller) -> CompareSay:
    """What the same stake buys, costs and risks on borrowed coins and on a perpetual."""
    stake = Stake(
        base=ask.base,
        stake_minor=positive_minor(ask.stake, "stake"),
        leverage=ask.leverage,
        side=Side.BUY if ask.side == "long" else Side.SELL,
        hours=ask.hours,
    )
    found = compare(doors.engine, stake)
    if found is Reason.UNKNOWN_SYMBOL:
        raise refusal(found, "GET /v1/instruments lists them all", field="base", given=ask.base)
    if isinstance(found, Reason):
        raise refusal(found)
    return compare_say(found)


def compare_say(found: Comparison) -> CompareSay:
    """A comparison with its amounts as text."""
    stake = found.stake
    return CompareSay(
        env=ENV,
        base=stake.base,
        quote=found.quote,
        stake=amount_text(stake.stake_minor),
        leverage=stake.leverage,
        side="long" if stake.side is Side.BUY else "short",
        hours=stake.hours,
        price=amount_text(found.price_e8),
        spot=_way_say(found.spot, stake),
        perpetual=None if found.perpetual is None else _way_say(found.perpetual, stake),
    )


def _way_say(way: Way, stake: Stake) -> WaySay:
    """One way; a spot pair has no funding, and a contract no loan."""
    if way.reason is not None:
        reason = way.reason
        return WaySay(way.symbol, False, reason.name, reason.value, way.leverage_max)
    said = WaySay(
        symbol=way.symbol,
        accepted=True,
        reason=None,
        message=None,
        max_leverage=way.leverage_max,
        qty=amount_text(way.qty_minor),
        notional=amount_text(way.notional_minor),
        open_fee=amount_text(way.open_fee_minor),
        close_fee=amount_text(way.close_fee_minor),
        liquidation_price=_text(way.liquidation_e8),
        margin_call_price=_text(way.call_e8),
        outcomes=[_outcome_say(each, stake) for each in way.outcomes],
    )
    return _with_funding(said, way) if way.funding_interval_ms else _with_loan(said, way)


def _with_loan(said: WaySay, way: Way) -> WaySay:
    said.borrowed = amount_text(way.borrowed_minor)
    said.borrow_asset = way.borrow_asset or None
    said.interest_per_hour = amount_text(way.interest_hour_minor)
    said.interest_per_day = amount_text(way.interest_day_minor)
    said.interest = amount_text(way.interest_minor)
    return said


def _with_funding(said: WaySay, way: Way) -> WaySay:
    said.funding_rate = rate_text(way.funding_rate_e12)
    said.funding_interval_ms = way.funding_interval_ms
    said.funding_each = amount_text(way.funding_each_minor)
    said.fundings = way.fundings
    said.funding = amount_text(way.fundings * way.funding_each_minor)
    return said


def _outcome_say(each: Outcome, stake: Stake) -> OutcomeSay:
    share = half_even_div(each.profit_minor * PERCENT_E2, stake.stake_minor)
    return OutcomeSay(
        move_percent=str(each.move_percent),
        price=amount_text(each.price_e8),
        profit=amount_text(each.profit_minor),
        return_percent=fixed_text(share, 2),
        liquidated=each.liquidated,
    )


def _text(price_e8: int | None) -> str | None:
    return None if price_e8 is None else amount_text(price_e8)
