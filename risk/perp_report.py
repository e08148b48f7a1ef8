"""Perpetuals as their owner sees them: requirements and prices, read and never changed."""

from __future__ import annotations

from typing import NamedTuple

from risk.account import PERP, Account, position_wallet
from risk.fees import rates_e12
from risk.margin import (
    bankruptcy_ticks,
    initial_e16,
    liquidation_price,
    maintenance_e16,
    maintenance_e28,
)
from risk.margin_worth import max_transfer_out
from risk.money import E12, MINOR_IN_E16, ceil_div, minor_floor
from risk.perp_worth import cross_symbols, perp_worth
from risk.state import RiskState


class PerpReport(NamedTuple):
    """The cross wallet of perpetuals at the marks."""

    wallet_minor: int
    unrealised_e16: int
    margin_balance_e16: int
    initial_e16: int
    order_margin_e16: int
    maintenance_e16: int
    available_minor: int
    withdrawable_minor: int


class PositionReport(NamedTuple):
    """One perpetual position at the mark."""

    mark_e8: int
    entry_e8: int
    notional_e16: int
    unrealised_e16: int
    initial_e16: int
    margin_minor: int  # What is set aside for it: the isolated margin, 0 on the cross wallet.
    maintenance_e16: int
    liquidation_e8: int | None
    bankruptcy_ticks: int | None


def perp_report(state: RiskState, account: Account) -> PerpReport:
    """The cross wallet of perpetuals."""
    worth = perp_worth(state, account)
    wallet = account.minor(PERP, state.venue.quote)
    return PerpReport(
        wallet_minor=wallet,
        unrealised_e16=worth.balance_e16 - wallet * MINOR_IN_E16,
        margin_balance_e16=worth.balance_e16,
        initial_e16=worth.initial_e16,
        order_margin_e16=worth.orders_e16 + worth.held_e16,
        maintenance_e16=ceil_div(worth.maintenance_e28, E12),
        available_minor=minor_floor(worth.available_e16),
        withdrawable_minor=max_transfer_out(state, account, PERP, state.venue.quote),
    )


def position_report(state: RiskState, account: Account, symbol: str) -> PositionReport:
    """One position: at its mark, with the prices at which it would end."""
    held = account.positions[symbol]
    instrument = state.instruments[symbol]
    mark_e8 = state.mark_e8(symbol)
    assert mark_e8 is not None
    brackets = state.perps[symbol].brackets
    notional = held.notional_e16(instrument.lot_minor, mark_e8)
    unrealised = held.unrealised_e16(instrument.lot_minor, mark_e8)
    isolated = account.is_isolated(symbol)
    margin = account.minor(position_wallet(symbol), instrument.settle) if isolated else 0
    balance, others = _behind(state, account, symbol)
    ends = liquidation_price(
        held.lots * instrument.lot_minor, held.cost_minor, brackets, balance, others
    )
    bankrupt = bankruptcy_ticks(
        held.lots * instrument.lot_minor,
        held.cost_minor,
        balance,
        rates_e12(state, account, "perp").taker_e12,
        instrument.tick_e8,
    )
    return PositionReport(
        mark_e8=mark_e8,
        entry_e8=held.entry_e8(instrument.lot_minor),
        notional_e16=notional,
        unrealised_e16=unrealised,
        initial_e16=initial_e16(notional, account.setting(symbol).leverage),
        margin_minor=margin,
        maintenance_e16=maintenance_e16(brackets, notional),
        liquidation_e8=ends.price_e8 if ends else None,
        bankruptcy_ticks=bankrupt if ends else None,
    )


def _behind(state: RiskState, account: Account, symbol: str) -> tuple[int, int]:
    """(balance_e16, maintenance_e28 of others): what stands behind a position but itself (P11)."""
    settle = state.instruments[symbol].settle
    if account.is_isolated(symbol):
        return account.minor(position_wallet(symbol), settle) * MINOR_IN_E16, 0
    worth = perp_worth(state, account)
    held = account.positions[symbol]
    mark_e8 = state.mark_e8(symbol)
    assert mark_e8 is not None
    assert symbol in cross_symbols(account)
    lot_minor = state.instruments[symbol].lot_minor
    balance = worth.balance_e16 - held.unrealised_e16(lot_minor, mark_e8)
    own = worth.maintenance_e28 - _maintenance_e28(state, account, symbol)
    return balance, own


def _maintenance_e28(state: RiskState, account: Account, symbol: str) -> int:
    mark_e8 = state.mark_e8(symbol)
    assert mark_e8 is not None
    notional = account.positions[symbol].notional_e16(state.instruments[symbol].lot_minor, mark_e8)
    return maintenance_e28(state.perps[symbol].brackets, notional)
