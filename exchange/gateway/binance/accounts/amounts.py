"""Amounts, rates and worths of an account as Binance writes them: text of eight places."""

from __future__ import annotations

from typing import Final

from exchange.gateway.binance.accounts.refusals import BAD_ASSET
from exchange.gateway.binance.calls import Call
from exchange.gateway.binance.errors import BAD_PRECISION, BAD_VALUE, MANDATORY, refused
from exchange.gateway.native.amounts import AMOUNT_MINOR_MAX
from matching.instrument import fixed_text, minor
from matching.limits import SCALE
from matching.reasons import Reason
from risk.money import E8, ceil_div, half_even_div
from risk.parameters import AssetParameters
from risk.state import RiskState

WORTH_ASSET: Final = "BTC"  # What Binance tells the worth of an account in.
RATE_STEP_E12: Final = 10**4  # Of the last of eight places.
HOURS_IN_DAY: Final = 24


def eight(amount_minor: int) -> str:
    """A whole number of 10^-8 as text of eight places."""
    return fixed_text(amount_minor, SCALE)


def rate_eight(rate_e12: int) -> str:
    """A rate or level of 10^-12 as text of eight places, to the nearest."""
    return eight(half_even_div(rate_e12, RATE_STEP_E12))


def daily(hourly_e12: int) -> str:
    """The rate of a day of borrowing, exactly: twenty-four hours of simple interest."""
    return fixed_text(hourly_e12 * HOURS_IN_DAY, 12)


def worth_minor(risk: RiskState, value_e16: int, asset: str = WORTH_ASSET) -> int:
    """A value of 10^-16 quote in minor units of an asset at its index, rounded down.

    0 where the asset has no price, as on a venue that does not know it.
    """
    price_e8 = risk.price_e8(asset) if asset in risk.assets else None
    return value_e16 // price_e8 if price_e8 else 0


def debt_worth_minor(risk: RiskState, value_e16: int) -> int:
    """A debt's value in minor units of what worth is told in, rounded up."""
    price_e8 = risk.price_e8(WORTH_ASSET) if WORTH_ASSET in risk.assets else None
    return ceil_div(value_e16, price_e8) if price_e8 else 0


def amount_of(call: Call, name: str = "amount") -> int:
    """An amount above zero in minor units; -1102, -1111 or -1130."""
    amount = minor(call.params.need(name))
    if isinstance(amount, Reason):
        too_fine = amount is Reason.AMOUNT_TOO_FINE
        raise refused(BAD_PRECISION) if too_fine else refused(MANDATORY, name)
    if not 0 < amount <= AMOUNT_MINOR_MAX:
        raise refused(BAD_VALUE, name)
    return amount


def asset_of(call: Call, name: str = "asset") -> str:
    """An asset of the venue, which must be named; -1102 or -3027."""
    return known_asset(call, call.params.need(name)).asset


def asset_named(call: Call, name: str = "asset") -> str | None:
    """An asset of the venue where one is named."""
    return asset_of(call, name) if call.params.has(name) else None


def known_asset(call: Call, name: str) -> AssetParameters:
    """The parameters of an asset; -3027 where there is none of that name."""
    found = call.doors.engine.risk.assets.get(name.upper())
    if found is None:
        raise refused(BAD_ASSET)
    return found


def value_minor(value_e16: int) -> int:
    """A value of 10^-16 quote in the nearest minor units of the quote."""
    return half_even_div(value_e16, E8)
