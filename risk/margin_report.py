"""A margin wallet as its owner sees it: levels, limits and prices, read and never changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from risk.account import ISOLATED, MARGIN, Account
from risk.loan_tiers import levels
from risk.loans import E16_IN_E28, asset_e28, debt_e28, level_e12, liquidation_price_e8
from risk.margin_worth import margin_worth, wallet_assets
from risk.money import ceil_div
from risk.state import ONE_E8, RiskState


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
    liquidation_prices_e8: dict[str, int]  # Of each asset, the others standing still (M11),
    call_prices_e8: dict[str, int]  # and where the margin call comes.


def margin_report(state: RiskState, account: Account, wallet: str) -> MarginReport:
    """A margin wallet: "margin" or "isolated:<SYMBOL>"."""
    worth = margin_worth(state, account, wallet)
    bounds = levels(state, account, wallet)
    debts = worth.debts_e28
    ends = margin_prices_e8(state, account, wallet, bounds.liquidation_e12)
    base = "" if wallet == MARGIN else state.instruments[wallet.removeprefix(ISOLATED)].base
    return MarginReport(
        assets_e16=worth.assets_e28 // E16_IN_E28,
        debt_e16=ceil_div(debts, E16_IN_E28),
        collateral_e16=worth.collateral_e28 // E16_IN_E28,
        level_e12=level_e12(worth.assets_e28, debts),
        collateral_level_e12=level_e12(worth.collateral_e28, debts),
        call_e12=bounds.call_e12,
        liquidation_e12=bounds.liquidation_e12,
        leverage=bounds.leverage,
        liquidation_price_e8=ends.get(base),
        liquidation_prices_e8=ends,
        call_prices_e8=margin_prices_e8(state, account, wallet, bounds.call_e12),
    )


class Holdings(NamedTuple):
    """What a margin wallet has (minor units) and owes (10^-18), by asset."""

    money: Mapping[str, int]
    owed_e18: Mapping[str, int]


def holdings(account: Account, wallet: str) -> Holdings:
    """A margin wallet as it stands."""
    owed = {loan.asset: loan.owed_e18 for loan in account.wallet_loans(wallet)}
    return Holdings(dict(wallet_assets(account, wallet)), owed)


def margin_prices_e8(
    state: RiskState, account: Account, wallet: str, level_e12: int
) -> dict[str, int]:
    """The price of each asset at which the wallet's level would be that, where one is (M11), the
    other assets standing still.

    Cross, in the venue's quote; isolated, that of the pair's base in the pair's quote.
    """
    held = holdings(account, wallet)
    found = {}
    for asset in sorted(held.money.keys() | held.owed_e18.keys()):
        price_e8 = meeting_price_e8(state, wallet, held, asset, level_e12)
        if price_e8 is not None:
            found[asset] = price_e8
    return found


def meeting_price_e8(
    state: RiskState, wallet: str, held: Holdings, asset: str, level_e12: int
) -> int | None:
    """The price of an asset at which such holdings in a wallet meet a level; half-even."""
    quote = state.venue.quote
    if wallet != MARGIN:
        quote = state.instruments[wallet.removeprefix(ISOLATED)].quote
    if asset == quote or not any(held.owed_e18.values()):
        return None
    others = (held.money.keys() | held.owed_e18.keys()) - {asset}
    prices = {other: ONE_E8 if other == quote else state.price_e8(other) or 0 for other in others}
    return liquidation_price_e8(
        held.money.get(asset, 0),
        held.owed_e18.get(asset, 0),
        sum(asset_e28(held.money.get(other, 0), prices[other]) for other in others),
        sum(debt_e28(held.owed_e18.get(other, 0), prices[other]) for other in others),
        level_e12,
    )
