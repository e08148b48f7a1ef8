"""What an account looks like to its owner: levels, requirements and prices, read and never changed.

Values `_e16` are 10^-16 of the venue's quote. Prices are for display; every decision is made by
`risk.worth` and `risk.scan` with exact integers.
"""

from __future__ import annotations

from typing import NamedTuple

from risk.account import ISOLATED, MARGIN, PERP, Account, position_wallet
from risk.loans import E16_IN_E28, level_e12, liquidation_price_e8
from risk.margin import (
    bankruptcy_ticks,
    initial_e16,
    liquidation_price,
    maintenance_e16,
    maintenance_e28,
)
from risk.money import E12, MINOR_IN_E16, ceil_div, minor_floor
from risk.state import RiskState
from risk.worth import (
    cross_symbols,
    levels,
    margin_worth,
    max_borrow,
    max_transfer_out,
    perp_worth,
)

__all__ = [
    "MarginReport",
    "PerpReport",
    "PositionReport",
    "margin_report",
    "max_borrow",
    "max_transfer_out",
    "perp_report",
    "position_report",
]


class MarginReport(NamedTuple):
    """A margin wallet at the index; levels are None without a debt."""

    assets_e16: int
    debt_e16: int
    collateral_e16: int
    level_e12: int | None
    collateral_level_e12: int | None
    call_e12: int
    liquidation_e12: int
    leverage: int
    liquidation_price_e8: int | None  # Of the pair's base, isolated wallets only (M11).


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


def margin_report(state: RiskState, account: Account, wallet: str) -> MarginReport:
    """A margin wallet: "margin" or "isolated:<SYMBOL>"."""
    worth = margin_worth(state, account, wallet)
    bounds = levels(state, account, wallet)
    debts = worth.debts_e28
    return MarginReport(
        assets_e16=worth.assets_e28 // E16_IN_E28,
        debt_e16=ceil_div(debts, E16_IN_E28),
        collateral_e16=worth.collateral_e28 // E16_IN_E28,
        level_e12=level_e12(worth.assets_e28, debts),
        collateral_level_e12=level_e12(worth.collateral_e28, debts),
        call_e12=bounds.call_e12,
        liquidation_e12=bounds.liquidation_e12,
        leverage=bounds.leverage,
        liquidation_price_e8=margin_price_e8(state, account, wallet, bounds.liquidation_e12),
    )


def margin_price_e8(state: RiskState, account: Account, wallet: str, level_e12: int) -> int | None:
    """The price of an isolated pair's base at which its level would be that (M11)."""
    if wallet == MARGIN:
        return None
    instrument = state.instruments[wallet.removeprefix(ISOLATED)]
    loans = account.loans
    base_loan = loans.get((wallet, instrument.base))
    quote_loan = loans.get((wallet, instrument.quote))
    if base_loan is None and quote_loan is None:
        return None
    return isolated_price_e8(
        account.minor(wallet, instrument.base),
        base_loan.owed_e18 if base_loan else 0,
        account.minor(wallet, instrument.quote),
        quote_loan.owed_e18 if quote_loan else 0,
        level_e12,
    )


def isolated_price_e8(
    base_minor: int, base_owed_e18: int, quote_minor: int, quote_owed_e18: int, level_e12: int
) -> int | None:
    """The base price at which assets / debts meet a level; None where no price does."""
    one = 10**8
    return liquidation_price_e8(
        base_minor,
        base_owed_e18,
        quote_minor * one * E16_IN_E28,
        quote_owed_e18 * one * 100,
        level_e12,
    )


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
        state.venue.fees.perp_taker_e12,
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
