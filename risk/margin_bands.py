# cython: overflowcheck=True
"""The bands a margin wallet is safe in, and the interest that may fall due inside them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from risk.account import Account, Loan
from risk.loan_tiers import levels
from risk.loans import debt_e28, hour_of_interest_e18
from risk.margin_worth import MarginWorth, wallet_assets
from risk.money import E12
from risk.state import RiskState
from risk.watch import Band

HOURS_AHEAD: Final = 24  # Of interest at today's rate, which bands are safe for,
RISING_TIMES: Final = 2  # or at as many times that rate where use can raise it.

Owed = Mapping[str, int]  # Interest to come, by asset, 10^-18.


def watch_margin(state: RiskState, account: Account, wallet: str, worth: MarginWorth) -> None:
    """Leave bands for a margin wallet that is not in breach, and interest that they allow for.

    While no price leaves its band and no loan is charged more than its allowance, the wallet
    stays above its next level, so nobody looks at it. Without room for a day of interest, or
    under a margin call, nothing is allowed: the next charge makes the wallet due.
    """
    called = wallet in account.called
    ahead = {} if called else interest_ahead(state, account, wallet)
    if ahead and _slack_e40(state, account, wallet, worth, ahead) <= 0:
        ahead = {}
    for loan in account.wallet_loans(wallet):
        loan.allowance_e18 = ahead.get(loan.asset, 0)
    bands = margin_bands(state, account, wallet, worth, called=called, ahead=ahead)
    state.watch.put(account.id, wallet, bands)


def interest_ahead(state: RiskState, account: Account, wallet: str) -> dict[str, int]:
    """A day of interest on each loan of a wallet, by asset, 10^-18."""
    return {
        loan.asset: HOURS_AHEAD * _hour_e18(state, loan) for loan in account.wallet_loans(wallet)
    }


def _hour_e18(state: RiskState, loan: Loan) -> int:
    hour = hour_of_interest_e18(
        loan.principal_minor, loan.interest_e18, state.rates_e12[loan.asset], state.venue.compound
    )
    return hour * (1 if state.assets[loan.asset].curve is None else RISING_TIMES)


def _slack_e40(
    state: RiskState, account: Account, wallet: str, worth: MarginWorth, ahead: Owed
) -> int:
    """Assets less call level x debts, the interest to come among them."""
    debts_e28 = worth.debts_e28 + _ahead_e28(state, ahead)
    return worth.assets_e28 * E12 - levels(state, account, wallet).call_e12 * debts_e28


def _ahead_e28(state: RiskState, ahead: Owed) -> int:
    return sum(debt_e28(owed, state.price_e8(asset) or 0) for asset, owed in ahead.items())


def margin_bands(
    state: RiskState,
    account: Account,
    wallet: str,
    worth: MarginWorth,
    *,
    called: bool,
    ahead: Owed,
) -> list[Band]:
    """How far each index may move before the wallet can reach its next level.

    That is the call level, and once called the liquidation level on one side and the call level,
    which clears the call, on the other. The slack is shared between the assets. `ahead` is
    interest counted as owed already; it can only bring a cleared call back, never clear one.
    """
    bounds = levels(state, account, wallet)
    ways = [(bounds.liquidation_e12 if called else bounds.call_e12, 1, ahead)]
    if called:
        ways.append((bounds.call_e12, -1, {}))
    lows: dict[str, int] = {}
    highs: dict[str, int] = {}
    for level_e12, sign, owed in ways:
        debts_e28 = worth.debts_e28 + _ahead_e28(state, owed)
        slack = max(0, sign * (worth.assets_e28 * E12 - level_e12 * debts_e28))
        weights = _weights_e40(state, account, wallet, level_e12, owed)
        for asset, weight, price_e8 in weights:
            room_e8 = slack // (len(weights) * abs(weight))
            if weight * sign > 0:
                lows[asset] = max(lows.get(asset, 0), price_e8 - room_e8)
            else:
                highs[asset] = min(highs.get(asset, price_e8 + room_e8), price_e8 + room_e8)
    return [
        (f"{asset}-{state.venue.quote}", lows.get(asset), highs.get(asset))
        for asset in sorted(lows.keys() | highs.keys())
    ]


def _weights_e40(
    state: RiskState, account: Account, wallet: str, level_e12: int, ahead: Owed
) -> list[tuple[str, int, int]]:
    """(asset, weight, price): assets - level x debts is the sum of weight x price (10^-40)."""
    weights: dict[str, int] = {}
    for asset, total in wallet_assets(account, wallet):
        weights[asset] = total * E12 * E12
    for loan in account.wallet_loans(wallet):
        owed_e18 = loan.owed_e18 + ahead.get(loan.asset, 0)
        weights[loan.asset] = weights.get(loan.asset, 0) - owed_e18 * 100 * level_e12
    found = []
    for asset, weight in sorted(weights.items()):
        price_e8 = state.price_e8(asset)
        if weight and price_e8 and asset != state.venue.quote:
            found.append((asset, weight, price_e8))
    return found
