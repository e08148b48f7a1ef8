"""Filters that look at what an account has open and holds already: MAX_NUM_ICEBERG_ORDERS and
MAX_POSITION (S9).

They cost something only for an iceberg, and where an instrument bounds what is held. An account
has a bounded number of open orders, so looking at all of them is bounded work.
"""

from __future__ import annotations

from matching.instrument import Instrument
from matching.reasons import Reason
from matching.types import Order, Side
from risk.account import Account
from risk.state import RiskState


def refuse_holding(
    risk: RiskState, account: Account, order: Order, lots: int, instead_of: Order | None = None
) -> Reason | None:
    """Why the account may not have an order of so many lots besides what it has, or None.

    `instead_of` is the order it is amended from, which leaves; an order that wakes is listed
    already, and is not counted twice.
    """
    instrument = risk.instruments[order.symbol]
    leaving = {order.order_id} if instead_of is None else {order.order_id, instead_of.order_id}
    if order.iceberg_lots:
        icebergs = count_icebergs(account, order.symbol, leaving)
        if icebergs >= instrument.icebergs_max:
            return Reason.MAX_ICEBERGS
    if instrument.position_lots_max and order.side is Side.BUY:
        has_minor = holding_minor(account, instrument, order.wallet, leaving)
        most_minor = instrument.base_minor(instrument.position_lots_max)
        if has_minor + instrument.base_minor(lots) > most_minor:
            return Reason.MAX_POSITION
    return None


def count_icebergs(account: Account, symbol: str, leaving: set[int]) -> int:
    """How many open orders on an instrument show only a part of themselves."""
    return sum(
        1
        for each in account.orders.values()
        if each.iceberg_lots and each.symbol == symbol and each.order_id not in leaving
    )


def holding_minor(account: Account, instrument: Instrument, wallet: str, leaving: set[int]) -> int:
    """What a wallet has of a pair's base, free and held, and what its open bids would add."""
    bid_lots = sum(
        each.open_lots
        for each in account.orders.values()
        if each.side is Side.BUY
        and each.symbol == instrument.symbol
        and each.wallet == wallet
        and each.order_id not in leaving
    )
    return account.minor(wallet, instrument.base) + instrument.base_minor(bid_lots)
