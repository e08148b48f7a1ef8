# cython: overflowcheck=True
"""What an order holds that sleeps until its trigger: on spot all it may need, else nothing.

A spot stop locks its money at once, so that it can be carried out when its moment comes; what its
side effect borrows is borrowed then too, as for any order (M6, S11). An order on a perpetual
holds nothing until it wakes: what it needs follows from the position that stands then.
"""

from __future__ import annotations

from matching.reasons import Reason
from matching.types import Order
from risk.account import ONE_WAY, PERP, Account, side_of
from risk.reserve_spot import refuse_wallet, rehold, resting_need
from risk.state import RiskState


def reserve_asleep(state: RiskState, account: Account, order: Order) -> Reason | None:
    """Hold what an order needs that goes to sleep; on a refusal nothing has changed."""
    if state.instruments[order.symbol].kind == "spot":
        refused = refuse_wallet(state, account, order)
        return refused or rehold(state, account, order, *resting_need(state, order))
    return refuse_asleep_contract(state, account, order)


def refuse_asleep_contract(state: RiskState, account: Account, order: Order) -> Reason | None:
    """Why an order on a perpetual may not go to sleep for its account's sake, or None."""
    if order.wallet != PERP:
        return Reason.COMBINATION_NOT_ALLOWED
    if (side_of(order.leg) != ONE_WAY) is not account.hedge:
        return Reason.POSITION_SIDE_MISMATCH
    contract = state.contracts[order.symbol]
    scopes = (state.pocket_wallet(account, order.leg), contract.cross_wallet)
    return Reason.ACCOUNT_LIQUIDATING if account.liquidating.keys() & scopes else None
