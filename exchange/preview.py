"""What an order would cost and risk, said before it is sent; nothing is changed by asking."""

from __future__ import annotations

from typing import NamedTuple

from exchange.commands import PlaceOrder
from exchange.engine import Engine
from matching.reasons import Reason
from matching.types import Order, Side
from risk.account import MARGIN, PERP, SPOT, Account, Setting, position_wallet
from risk.borrowing import wallet_holds
from risk.fees import fee_minor
from risk.loans import hour_of_interest_e18
from risk.margin import liquidation_price
from risk.money import MINOR_IN_E16, ceil_div
from risk.position import fill_effect
from risk.reports import isolated_price_e8
from risk.reserve import BORROW_EFFECTS, contract_requirement, reserve, spot_need
from risk.worth import levels, max_borrow, perp_worth

HOURS_A_DAY = 24


class Preview(NamedTuple):
    """Prices in 10^-8 of the quote, amounts in minor units; None where it does not apply."""

    reason: Reason | None
    fee_minor: int | None = None
    fee_asset: str | None = None
    margin_minor: int | None = None
    borrow_minor: int | None = None
    borrow_asset: str | None = None
    liquidation_e8: int | None = None
    call_e8: int | None = None
    interest_day_minor: int | None = None
    funding_minor: int | None = None  # Of the resulting position at the predicted rate: a cost.


def preview(engine: Engine, wish: PlaceOrder) -> Preview:
    """What `apply` would do with a wish at this moment, as far as it can be told beforehand."""
    risk = engine.risk
    account = risk.accounts.get(wish.account_id)
    if account is None:
        return Preview(Reason.UNKNOWN_ACCOUNT)
    if wish.symbol not in engine.instruments:
        return Preview(Reason.UNKNOWN_SYMBOL)
    if engine.instruments[wish.symbol].kind == "spot":
        return _preview_spot(engine, account, wish)
    parameters = risk.perps[wish.symbol]
    if wish.leverage and not 1 <= wish.leverage <= parameters.leverage_max:
        return Preview(Reason.LEVERAGE_OUT_OF_RANGE)
    chosen = account.settings.get(wish.symbol)
    isolated = account.is_isolated(wish.symbol)
    leverage = wish.leverage or account.setting(wish.symbol).leverage
    account.settings[wish.symbol] = Setting(leverage, isolated)
    try:
        return _preview_contract(engine, account, wish)
    finally:
        if chosen is None:
            del account.settings[wish.symbol]
        else:
            account.settings[wish.symbol] = chosen


def _expected(engine: Engine, order: Order, worst_ticks: int) -> tuple[int, int]:
    """(lots, ticks x lots) it would trade: what fills at once, the rest at its limit."""
    lots, units = engine.books[order.symbol].cost_of_market(order, worst_ticks)
    if order.price_ticks:
        left = order.lots - lots
        return order.lots, units + left * order.price_ticks
    return lots, units


# -- perpetuals --------------------------------------------------------------------------------


def _preview_contract(engine: Engine, account: Account, wish: PlaceOrder) -> Preview:
    risk = engine.risk
    order, reason, worst_ticks = engine.trading.consider(account, wish)
    mark_e8 = risk.mark_e8(order.symbol)
    if mark_e8 is None:
        return Preview(Reason.NO_MARK_PRICE)
    if reason is None:
        reason = reserve(risk, account, order, engine.books[order.symbol], worst_ticks)
    likely = _expected(engine, order, worst_ticks)
    instrument = risk.instruments[order.symbol]
    fee = fee_minor(likely[1] * instrument.unit_minor, risk.venue.fees.perp_taker_e12)
    before, after = contract_requirement(risk, account, order, likely, mark_e8)
    margin = ceil_div(max(0, after - before), MINOR_IN_E16) + order.hold_minor
    ends_e8, funding = _after_contract(engine, account, order, likely, fee)
    return Preview(
        reason=reason,
        fee_minor=fee,
        fee_asset=instrument.settle,
        margin_minor=margin,
        liquidation_e8=ends_e8,
        funding_minor=funding,
    )


def _after_contract(
    engine: Engine, account: Account, order: Order, likely: tuple[int, int], fee: int
) -> tuple[int | None, int | None]:
    """(liquidation price, cost of the next funding) of the position after the order."""
    risk = engine.risk
    symbol = order.symbol
    instrument = risk.instruments[symbol]
    lots, units = likely
    if not lots:
        return None, None
    held = account.positions.get(symbol)
    old_lots, old_cost = (held.lots, held.cost_minor) if held else (0, 0)
    signed = lots if order.side is Side.BUY else -lots
    ticks = max(1, units // lots)
    effect = fill_effect(old_lots, old_cost, signed, ticks, instrument.unit_minor)
    if not effect.lots:
        return None, None
    perp = risk.marks[symbol]
    mark_e8 = perp.mark_e8
    assert mark_e8 is not None
    funding = -perp.flow_minor(effect.lots, mark_e8, perp.predicted_e12)
    if account.is_isolated(symbol):
        wallet = account.minor(position_wallet(symbol), instrument.settle)
        opened = (lots - effect.closed_lots) * ticks * instrument.unit_minor
        margin = wallet if effect.closed_lots < abs(old_lots) or not old_lots else 0
        balance = (margin + opened // account.setting(symbol).leverage) * MINOR_IN_E16
    else:
        worth = perp_worth(risk, account)
        balance = worth.balance_e16 + (effect.realised_minor - fee) * MINOR_IN_E16
        if held is not None:
            balance -= held.unrealised_e16(instrument.lot_minor, mark_e8)
    ends = liquidation_price(
        effect.lots * instrument.lot_minor,
        effect.cost_minor,
        risk.perps[symbol].brackets,
        balance,
    )
    return (ends.price_e8 if ends else None), funding


# -- spot --------------------------------------------------------------------------------------


def _preview_spot(engine: Engine, account: Account, wish: PlaceOrder) -> Preview:
    risk = engine.risk
    order, reason, worst_ticks = engine.trading.consider(account, wish)
    instrument = risk.instruments[order.symbol]
    asset, need = spot_need(risk, order, engine.books[order.symbol], worst_ticks)
    missing = max(0, need - max(0, account.free(order.wallet, asset)))
    reason = reason or _refuse_spot(engine, account, order, asset, missing)
    lots, units = _expected(engine, order, worst_ticks)
    is_buy = order.side is Side.BUY
    received = instrument.base_minor(lots) if is_buy else units * instrument.unit_minor
    fees = risk.venue.fees
    in_base = is_buy and not fees.spot_in_quote
    fee = fee_minor(received if in_base else units * instrument.unit_minor, fees.spot_taker_e12)
    borrowed = missing if order.side_effect in BORROW_EFFECTS else 0
    prices: tuple[int | None, int | None] = (None, None)
    if order.wallet not in (SPOT, MARGIN, PERP):
        prices = _after_isolated(engine, account, order, (lots, units), fee, borrowed)
    interest = None
    if borrowed:
        rate_e12 = risk.assets[asset].hourly_rate_e12
        interest = ceil_div(hour_of_interest_e18(borrowed, rate_e12) * HOURS_A_DAY, 10**10)
    return Preview(
        reason=reason,
        fee_minor=fee,
        fee_asset=instrument.base if in_base else instrument.quote,
        margin_minor=need - borrowed,
        borrow_minor=borrowed or None,
        borrow_asset=asset if borrowed else None,
        liquidation_e8=prices[0],
        call_e8=prices[1],
        interest_day_minor=interest,
    )


def _refuse_spot(
    engine: Engine, account: Account, order: Order, asset: str, missing: int
) -> Reason | None:
    """What `reserve` would say, without holding or borrowing."""
    if order.wallet != SPOT:
        refused = wallet_holds(engine.risk, order.wallet, asset)
        if refused is not None:
            return refused
        if order.wallet in account.liquidating:
            return Reason.ACCOUNT_LIQUIDATING
    elif order.side_effect:
        return Reason.SIDE_EFFECT_NOT_ALLOWED
    if not missing:
        return None
    if order.side_effect not in BORROW_EFFECTS:
        return Reason.INSUFFICIENT_BALANCE
    most = max_borrow(engine.risk, account, order.wallet, asset)
    return Reason.COLLATERAL_TOO_LOW if missing > most else None


def _after_isolated(
    engine: Engine,
    account: Account,
    order: Order,
    likely: tuple[int, int],
    fee: int,
    borrowed: int,
) -> tuple[int | None, int | None]:
    """(liquidation, margin call) price of an isolated wallet after the order."""
    risk = engine.risk
    instrument = risk.instruments[order.symbol]
    wallet = order.wallet
    base = account.minor(wallet, instrument.base)
    quote = account.minor(wallet, instrument.quote)
    traded, cost = instrument.base_minor(likely[0]), likely[1] * instrument.unit_minor
    owed = {}
    for asset in (instrument.base, instrument.quote):
        loan = account.loans.get((wallet, asset))
        owed[asset] = loan.owed_e18 if loan else 0
    if order.side is Side.BUY:
        base, quote = base + traded - fee, quote - cost + borrowed
        owed[instrument.quote] += borrowed * 10**10
    else:
        base, quote = base - traded + borrowed, quote + cost - fee
        owed[instrument.base] += borrowed * 10**10
    if not any(owed.values()):
        return None, None
    bounds = levels(risk, account, wallet)
    first, second = (
        isolated_price_e8(base, owed[instrument.base], quote, owed[instrument.quote], level)
        for level in (bounds.liquidation_e12, bounds.call_e12)
    )
    return first, second
