# cython: overflowcheck=True
"""Changing an open order: in place where it only shrinks, else as a new one (S7)."""

from __future__ import annotations

from exchange.commands import AmendOrder
from exchange.trading import Placed, Trading
from exchange.triggering import amend_asleep
from matching.filters import refuse_reduction
from matching.reasons import Reason
from matching.types import Order, Status
from risk.account import PERP, Account
from risk.borrowing import repay
from risk.reserve import reserve
from risk.settle_contract import count_resting, uncount


def amend(trading: Trading, account: Account, order: Order, wish: AmendOrder) -> Placed | Reason:
    """Change an open order: a pure reduction keeps its place, anything else is a new order.

    An order that sleeps has no place to lose and stays the same order. What a list asks for is
    looked at before (`exchange.list_amending`).
    """
    if order.is_asleep:
        return amend_asleep(trading, account, order, wish)
    if wish.trigger_ticks:
        return Reason.TRIGGER_NOT_ALLOWED
    lots = wish.lots or order.lots
    ticks = wish.price_ticks or order.price_ticks
    if lots == order.lots and ticks == order.price_ticks:
        return Reason.NOTHING_TO_AMEND
    if lots <= order.filled_lots + order.prevented_lots:
        return Reason.AMEND_BELOW_FILLED
    if ticks == order.price_ticks and lots < order.lots:
        return _reduce(trading, account, order, lots)
    return _replace(trading, account, order, lots, ticks)


def _reduce(trading: Trading, account: Account, order: Order, lots: int) -> Placed | Reason:
    less = order.lots - lots
    instrument = trading.risk.instruments[order.symbol]
    refused = refuse_reduction(instrument, trading.states[order.symbol], order, lots)
    if refused is not None:
        return refused
    reduced = trading.books[order.symbol].reduce(order.order_id, lots)
    if isinstance(reduced, Reason):
        return reduced
    order.amends += 1
    trading.touched_books[order.symbol] = None
    held = order.hold_minor
    trading.shrunk(account, order, less)
    _repay_spare(trading, account, order, held)
    return Placed(order, None)


def _repay_spare(trading: Trading, account: Account, order: Order, held: int) -> None:
    """What was borrowed for the lots that are gone is repaid: the last that is held first (M6)."""
    borrowed = account.order_loans.pop(order.order_id, 0)
    if not borrowed:
        return
    spare = min(borrowed, held - order.hold_minor)
    repay(trading.risk, account, order.wallet, trading.spent(order), spare)
    if borrowed > spare:
        account.order_loans[order.order_id] = borrowed - spare


def _replace(
    trading: Trading, account: Account, order: Order, lots: int, ticks: int
) -> Placed | Reason:
    """Cancel and place anew, as one: if the new order is refused the old one stays (S7)."""
    fresh = Order(
        order_id=trading.next_order_id,
        account_id=account.id,
        symbol=order.symbol,
        side=order.side,
        type=order.type,
        price_ticks=ticks,
        lots=lots - order.filled_lots - order.prevented_lots,
        tif=order.tif,
        stp=order.stp,
        post_only=order.post_only,
        reduce_only=order.reduce_only,
        expire_ms=order.expire_ms,
        client_id=order.client_id,
        time_ms=trading.risk.time_ms,
        wallet=order.wallet,
        side_effect=order.side_effect,
        auto_repay_at_cancel=order.auto_repay_at_cancel,
        trigger_ticks=order.trigger_ticks,
        trigger=order.trigger,
        price_protect=order.price_protect,
        triggered_ms=order.triggered_ms,
        leg=order.leg,
        iceberg_lots=min(order.iceberg_lots, lots - order.filled_lots - order.prevented_lots),
    )
    held = order.hold_minor
    refused, worst_ticks = trading.admit(account, fresh, instead_of=order)
    if refused is None:
        refused = _reserve_in_place_of(trading, account, order, fresh, worst_ticks)
    if refused is not None:
        return refused
    trading.next_order_id += 1
    _pass_on_loan(trading, account, order, fresh, held)
    if order.list_id:
        trading.lists.replaced(order, fresh)
    trading.cancel(order, Reason.CANCELLED_BY_USER)
    trading.run(account, fresh, worst_ticks)
    return Placed(fresh, fresh.reason if fresh.status is Status.REJECTED else None)


def _reserve_in_place_of(
    trading: Trading, account: Account, old: Order, fresh: Order, worst_ticks: int
) -> Reason | None:
    """Reserve for a new order as if the old one's hold were free already."""
    risk = trading.risk
    book = trading.books[old.symbol]
    if old.wallet == PERP:
        held = old.hold_minor
        uncount(risk, account, old, old.open_lots)
        refused = reserve(risk, account, fresh, book, worst_ticks)
        old.hold_minor = held
        count_resting(risk, account, old)
        return refused
    pocket = risk.pocket(account, old.wallet, trading.spent(old))
    pocket.locked -= old.hold_minor  # Supposed only: on a refusal there is nothing to tell.
    refused = reserve(risk, account, fresh, book, worst_ticks)
    pocket.locked += old.hold_minor
    if refused is None:
        risk.ledger.unlock(pocket, old.hold_minor)
        old.hold_minor = 0
    return refused


def _pass_on_loan(trading: Trading, account: Account, old: Order, fresh: Order, held: int) -> None:
    """What the old order borrowed is the new one's; what that needs no more is repaid (M6)."""
    borrowed = account.order_loans.pop(old.order_id, 0)
    if not borrowed:
        return
    spare = min(borrowed, max(0, held - fresh.hold_minor))
    repay(trading.risk, account, old.wallet, trading.spent(old), spare)
    left = account.order_loans.get(fresh.order_id, 0) + borrowed - spare
    if left:
        account.order_loans[fresh.order_id] = left
