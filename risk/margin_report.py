"""A margin wallet as its owner sees it: levels, limits and prices, read and never changed."""

from __future__ import annotations

from typing import NamedTuple

from risk.account import ISOLATED, MARGIN, Account
from risk.loan_tiers import levels
from risk.loans import E16_IN_E28, level_e12, liquidation_price_e8
from risk.margin_worth import margin_worth
from risk.money import ceil_div
from risk.state import RiskState


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
