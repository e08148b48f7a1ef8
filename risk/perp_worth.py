# cython: overflowcheck=True
"""What a perpetual wallet is worth and owes at the marks, and the bands it is safe in.

A cross wallet ("perp", or "perp:<COIN>" for the inverse contract of a coin) carries the legs that
are not isolated; the margin of an isolated one is "perp/<LEG>".  Every value is in 10^-16 of the
quote at the mark, where an inverse wallet is as exact as a linear one: it has one contract alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from matching.types import Side
from risk.account import PERP, Account, OpenOrders, position_wallet
from risk.contract import Contract
from risk.margin import (
    E16_IN_E28,
    Against,
    OrderMargin,
    initial_e16,
    isolated_flip_minor,
    open_order_margin,
    withdrawable_e16,
)
from risk.money import E12, ceil_div
from risk.multi_asset import Weight, collateral_bands, is_multi, max_leave, wallet_e28
from risk.position import Position, symbol_of
from risk.state import RiskState
from risk.watch import Band


class PerpWorth(msgspec.Struct, frozen=True, gc=False):
    """A cross wallet of perpetuals, in 10^-16 of the quote but for `maintenance_e28` (P5)."""

    balance_e16: int  # Wallet and unrealised profit of the cross positions.
    initial_e16: int  # Initial margin of the cross positions,
    orders_e16: int  # of resting orders beyond it, isolated ones included,
    held_e16: int  # and what is kept back for their losses and fees.
    maintenance_e28: int
    factor: int  # What one minor unit of the wallet's asset is worth, in 10^-16 of the quote.

    @property
    def available_e16(self) -> int:
        """What new orders may use."""
        return max(0, self.balance_e16 - self.initial_e16 - self.orders_e16 - self.held_e16)

    @property
    def available_minor(self) -> int:
        """What new orders may use, in the wallet's asset, rounded down."""
        return self.available_e16 // self.factor


def perp_worth(state: RiskState, account: Account, wallet: str = PERP) -> PerpWorth:
    """A cross wallet of perpetuals at the marks. O(the account's legs)."""
    factor = state.wallet_factor(wallet)
    balance = wallet_e16(state, account, wallet)
    initial = orders = held = maintenance = 0
    for leg, position in account.positions.items():
        contract = state.contracts[position.symbol]
        if contract.cross_wallet != wallet or account.is_isolated(position.symbol):
            continue
        mark_e8 = _mark_e8(state, contract)
        lots = position.lots
        balance += contract.unrealised_e16(lots, position.cost_minor, mark_e8)
        maintenance += contract.maintenance_e28(lots, mark_e8)
        if leg not in account.open_perp:  # Else it is counted with its orders, below.
            leverage = account.setting(position.symbol).leverage
            initial += initial_e16(contract.notional_e16(lots, mark_e8), leverage)
    for leg, sums in account.open_perp.items():
        contract = state.contracts[symbol_of(leg)]
        if contract.cross_wallet != wallet:
            continue
        margin = leg_margin(state, account, leg, sums)
        orders += margin.orders_e16
        held += sums.held_minor * factor
        if not account.is_isolated(contract.symbol):
            initial += margin.position_e16
    return PerpWorth(balance, initial, orders, held, maintenance, factor)


def cross_state(state: RiskState, account: Account, wallet: str) -> tuple[int, int]:
    """(balance_e16, maintenance_e28) of a cross wallet, which its orders do not change."""
    balance, maintenance = wallet_e16(state, account, wallet), 0
    for position in account.positions.values():
        contract = state.contracts[position.symbol]
        if contract.cross_wallet == wallet and not account.is_isolated(position.symbol):
            mark_e8 = _mark_e8(state, contract)
            balance += contract.unrealised_e16(position.lots, position.cost_minor, mark_e8)
            maintenance += contract.maintenance_e28(position.lots, mark_e8)
    return balance, maintenance


def wallet_e16(state: RiskState, account: Account, wallet: str) -> int:
    """What the money of a cross wallet is worth, without open profit, in 10^-16 of the quote.

    In multi-asset mode it is all its assets as they count, rounded down once (V76).
    """
    if is_multi(account, wallet):
        return wallet_e28(state, account) // E16_IN_E28
    return account.minor(wallet, state.wallet_asset(wallet)) * state.wallet_factor(wallet)


def leg_margin(state: RiskState, account: Account, leg: str, sums: OpenOrders) -> OrderMargin:
    """Initial margin of a leg's position and of orders that sum up so (P4)."""
    return leg_margins(state, account, leg, (sums,))[0]


def leg_margins(
    state: RiskState, account: Account, leg: str, all_sums: Sequence[OpenOrders]
) -> list[OrderMargin]:
    """`leg_margin` of each of several sums of orders.

    On the cross wallet it is the max form at the mark (V42).  Orders against an isolated position
    are paid from what closing it gives back, then from the wallet (V43).
    """
    contract = state.contracts[symbol_of(leg)]
    mark_e8 = _mark_e8(state, contract)
    factor = contract.factor(mark_e8)
    leverage = account.setting(contract.symbol).leverage
    held = account.positions.get(leg)
    lots = held.lots if held else 0
    notional = contract.notional_e16(lots, mark_e8)
    if held is None or not account.is_isolated(contract.symbol):
        signed = notional if lots > 0 else -notional
        return [
            open_order_margin(signed, sums.buy_minor * factor, sums.sell_minor * factor, leverage)
            for sums in all_sums
        ]
    position = initial_e16(notional, leverage)
    margin = account.minor(position_wallet(leg), contract.settle)
    found = []
    for sums in all_sums:
        with_it, against = (sums.buy_minor, _against(contract, Side.SELL, sums))
        if lots < 0:
            with_it, against = (sums.sell_minor, _against(contract, Side.BUY, sums))
        flip = isolated_flip_minor(lots, held.cost_minor, margin, against, leverage)
        orders = max(initial_e16(with_it * factor, leverage), flip * factor)
        found.append(OrderMargin(position + orders, position, orders))
    return found


def _against(contract: Contract, side: Side, sums: OpenOrders) -> Against:
    """All resting orders of one side."""
    if side is Side.BUY:
        return Against(sums.buy_lots, contract.cost_minor(1, sums.buy_minor))
    return Against(sums.sell_lots, contract.cost_minor(-1, sums.sell_minor))


def _mark_e8(state: RiskState, contract: Contract) -> int:
    mark_e8 = state.mark_e8(contract.symbol)
    assert mark_e8 is not None, contract.symbol
    return mark_e8


# -- scopes ------------------------------------------------------------------------------------


def cross_legs(state: RiskState, account: Account, wallet: str = PERP) -> list[str]:
    """The legs that stand on a cross wallet, in a fixed order."""
    return sorted(
        leg
        for leg, held in account.positions.items()
        if state.contracts[held.symbol].cross_wallet == wallet
        and not account.is_isolated(held.symbol)
    )


def position_worth(state: RiskState, account: Account, leg: str) -> tuple[int, int]:
    """(balance_e16, maintenance_e28) of one position on its own margin at the mark.

    Of a cross position the balance is its unrealised profit alone.
    """
    held = account.positions[leg]
    contract = state.contracts[held.symbol]
    mark_e8 = _mark_e8(state, contract)
    balance = account.minor(position_wallet(leg), contract.settle) * contract.factor(mark_e8)
    balance += unrealised_e16(state, held)
    return balance, contract.maintenance_e28(held.lots, mark_e8)


def unrealised_e16(state: RiskState, held: Position) -> int:
    """The profit of a position at the mark, in 10^-16 of the quote (P1)."""
    contract = state.contracts[held.symbol]
    return contract.unrealised_e16(held.lots, held.cost_minor, _mark_e8(state, contract))


# -- bands -------------------------------------------------------------------------------------


def perp_bands(
    state: RiskState,
    account: Account,
    legs: list[str],
    slack_e28: int,
    collateral: Sequence[Weight] = (),
) -> list[Band]:
    """How far each mark may move before balance can meet maintenance.

    The slack is shared between the positions, and in multi-asset mode with the indexes of the
    `collateral`.  A price that moves against a position by d costs size x d, and may raise its
    requirement too, by the highest bracket's rate at most.
    """
    bands: list[Band] = []
    if collateral:
        slack_e28 -= E16_IN_E28  # Their sum is rounded down.
    share_e28 = max(0, slack_e28) // max(1, len(legs) + len(collateral))
    for leg in legs:
        held = account.positions[leg]
        contract = state.contracts[held.symbol]
        mark_e8 = _mark_e8(state, contract)
        bound_e8 = _bound_e8(contract, held.lots, mark_e8, share_e28)
        if held.lots > 0:
            bands.append((contract.symbol, bound_e8, None))
        else:
            bands.append((contract.symbol, None, bound_e8))
    return bands + collateral_bands(state, collateral, share_e28)


def _bound_e8(contract: Contract, lots: int, mark_e8: int, slack_e28: int) -> int | None:
    """The mark that a slack lasts to; None where it lasts to any.

    The coins an inverse position is worth are size / mark: of a long they grow as the mark falls,
    and its requirement with them.  The slack, in quote at this mark, buys so much of a change of
    1 / mark, hence mark x size / (size +- slack).
    """
    if not contract.inverse:
        rate = E12 if lots > 0 else E12 + contract.brackets[-1].mmr_e12
        room_e8 = slack_e28 // (abs(lots) * contract.lot_minor * rate)
        return mark_e8 - room_e8 if lots > 0 else mark_e8 + room_e8
    size_e28 = contract.notional_e16(lots, mark_e8) * E16_IN_E28
    if lots > 0:
        size_e28 += size_e28 * contract.brackets[-1].mmr_e12 // E12
        return ceil_div(mark_e8 * size_e28, size_e28 + slack_e28)
    if slack_e28 >= size_e28:
        return None
    return mark_e8 * size_e28 // (size_e28 - slack_e28)


# -- what may leave ----------------------------------------------------------------------------


def max_perp_transfer_out(state: RiskState, account: Account, wallet: str, asset: str) -> int:
    """The most of an asset that may leave a cross wallet of perpetuals, in minor units (P5)."""
    free = account.free(wallet, asset)
    worth = perp_worth(state, account, wallet)
    taken = worth.orders_e16 + worth.held_e16
    if is_multi(account, wallet):
        unrealised = worth.balance_e16 - wallet_e16(state, account, wallet)
        return max_leave(state, account, asset, unrealised, worth.initial_e16 + taken)
    left_e16 = withdrawable_e16(free * worth.factor, worth.balance_e16, worth.initial_e16, taken)
    return max(0, min(free, left_e16 // worth.factor))
