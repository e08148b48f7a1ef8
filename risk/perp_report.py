"""Perpetuals as their owner sees them: requirements and prices, read and never changed."""

from __future__ import annotations

from typing import NamedTuple

from risk.account import Account, position_wallet
from risk.end_prices import Leg, bankruptcy_price, bankruptcy_ticks, liquidation_price
from risk.fees import rates_e12
from risk.margin import initial_e16
from risk.margin_worth import max_transfer_out
from risk.money import E12, ceil_div
from risk.multi_asset import is_multi, weights
from risk.perp_worth import perp_worth, unrealised_e16, wallet_e16
from risk.state import RiskState


class PerpReport(NamedTuple):
    """A cross wallet of perpetuals at the marks; `_e16` is in the quote, `_minor` in its asset."""

    wallet_minor: int
    unrealised_e16: int
    margin_balance_e16: int
    initial_e16: int
    order_margin_e16: int
    maintenance_e16: int
    available_minor: int
    withdrawable_minor: int


class CollateralReport(NamedTuple):
    """An asset of a wallet in multi-asset mode, and what it counts (V76)."""

    asset: str
    minor: int
    price_e8: int
    ratio_e12: int
    value_e16: int  # Rounded down.
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


def perp_report(state: RiskState, account: Account, settle: str = "") -> PerpReport:
    """The cross wallet of the contracts that settle in an asset; by default the venue's quote."""
    asset = settle or state.venue.quote
    name = state.cross_wallet(asset)
    worth = perp_worth(state, account, name)
    wallet = account.minor(name, asset)
    return PerpReport(
        wallet_minor=wallet,
        unrealised_e16=worth.balance_e16 - wallet_e16(state, account, name),
        margin_balance_e16=worth.balance_e16,
        initial_e16=worth.initial_e16,
        order_margin_e16=worth.orders_e16 + worth.held_e16,
        maintenance_e16=ceil_div(worth.maintenance_e28, E12),
        available_minor=worth.available_minor,
        withdrawable_minor=max_transfer_out(state, account, name, asset),
    )


def collateral_report(state: RiskState, account: Account, wallet: str) -> list[CollateralReport]:
    """The assets that a cross wallet counts in multi-asset mode; none without it."""
    if not is_multi(account, wallet):
        return []
    return [
        CollateralReport(
            each.asset,
            each.minor,
            each.price_e8,
            each.ratio_e12,
            each.value_e28 // E12,
            max_transfer_out(state, account, wallet, each.asset),
        )
        for each in weights(state, account)
    ]


def position_report(state: RiskState, account: Account, leg: str) -> PositionReport:
    """One position: at its mark, with the prices at which it would end (P11, P12)."""
    held = account.positions[leg]
    contract = state.contracts[held.symbol]
    mark_e8 = state.mark_e8(held.symbol)
    assert mark_e8 is not None
    notional = contract.notional_e16(held.lots, mark_e8)
    isolated = account.is_isolated(held.symbol)
    one = (held.lots, held.cost_minor)
    behind = _behind(state, account, leg)
    ends = liquidation_price(
        contract, behind.legs, behind.balance_e16, mark_e8, behind.maintenance_e28
    )
    taker_e12 = rates_e12(state, account, "perp").taker_e12
    alone = (contract, one, behind.alone_e16, taker_e12, mark_e8)
    bankrupt = bankruptcy_price(*alone) if ends else None
    return PositionReport(
        mark_e8=mark_e8,
        entry_e8=contract.entry_e8(*one),
        notional_e16=notional,
        unrealised_e16=unrealised_e16(state, held),
        initial_e16=initial_e16(notional, account.setting(held.symbol).leverage),
        margin_minor=account.minor(position_wallet(leg), contract.settle) if isolated else 0,
        maintenance_e16=ceil_div(contract.maintenance_e28(held.lots, mark_e8), E12),
        liquidation_e8=ends.price_e8 if ends else None,
        bankruptcy_ticks=bankruptcy_ticks(*alone) if bankrupt else None,
    )


class _Behind(NamedTuple):
    """What stands behind a position, at the marks (P11).

    In multi-asset mode the assets of the wallet stand at their indexes, the position's own base
    among them: where that is collateral too, both fall together, and the end comes earlier.
    """

    legs: list[Leg]  # Those of its contract that share a wallet, its own first.
    balance_e16: int  # The wallet, with the unrealised profit of every other contract in it,
    alone_e16: int  # and with that of every other leg.
    maintenance_e28: int  # What those other contracts need.


def _behind(state: RiskState, account: Account, leg: str) -> _Behind:
    held = account.positions[leg]
    contract = state.contracts[held.symbol]
    mark_e8 = state.mark_e8(held.symbol)
    assert mark_e8 is not None
    own = (held.lots, held.cost_minor)
    if account.is_isolated(held.symbol):
        margin = account.minor(position_wallet(leg), contract.settle) * contract.factor(mark_e8)
        return _Behind([own], margin, margin, 0)
    worth = perp_worth(state, account, contract.cross_wallet)
    here = [account.positions[each] for each in account.legs(held.symbol)]
    legs = sorted(here, key=lambda each: each.leg != leg)
    return _Behind(
        [(each.lots, each.cost_minor) for each in legs],
        worth.balance_e16 - sum(unrealised_e16(state, each) for each in legs),
        worth.balance_e16 - unrealised_e16(state, held),
        worth.maintenance_e28 - sum(contract.maintenance_e28(each.lots, mark_e8) for each in legs),
    )
