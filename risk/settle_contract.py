# cython: overflowcheck=True
"""After a perpetual fill: position and cost, realised profit, fee, and isolated margin."""

from __future__ import annotations

import msgspec

from matching.types import Fill, Order, Side
from risk.account import PERP, Account, OpenOrders, position_wallet
from risk.contract import Contract
from risk.fees import fee_minor, fee_rate_e12
from risk.insurance import cover
from risk.ledger import CLEARING, FEES, INSURANCE, Pocket, PostingReason
from risk.money import ceil_div
from risk.position import FillEffect, Position, fill_effect, released_cost, symbol_of
from risk.records import Booked
from risk.state import RiskState
from risk.tallies import Flow


def settle_contract_fill(state: RiskState, order: Order, fill: Fill, trade_id: int) -> Booked:
    """One side of a perpetual fill (A5): position and cost, realised profit, fee, margin.

    The position it found is noted: what `why` starts from.
    """
    account = state.accounts[order.account_id]
    contract = state.contracts[order.symbol]
    held = account.positions.get(order.leg)
    lots, cost = (held.lots, held.cost_minor) if held else (0, 0)
    own_wallet = position_wallet(order.leg)
    margin = account.minor(own_wallet, contract.settle)
    signed = fill.lots if order.side is Side.BUY else -fill.lots
    move = Move(account, order.leg, signed, fill.price_ticks, trade_id, order.forced)
    rate_e12 = fee_rate_e12(state, order, fill)
    realised, fee = move_position(state, move, rate_e12)
    order.filled_minor += contract.amount_minor(fill.lots, fill.price_ticks)
    if order is fill.maker or fill.auction:  # It rested, and was counted.
        uncount(state, account, order, fill.lots)
    leverage = account.setting(order.symbol).leverage
    left = account.minor(own_wallet, contract.settle)
    return Booked(fee, contract.settle, realised, rate_e12, lots, cost, margin, left, leverage)


class Move(msgspec.Struct, frozen=True, gc=False):
    """A change of one position: signed lots at a price, and the trade it comes from.

    What they come to is rounded alike on both sides (A3).  A liquidation keeps the margin of what
    it closes in the position until it is done (V73).
    """

    account: Account
    leg: str
    lots: int
    price_ticks: int
    reference: int
    keep_margin: bool = False
    reason: PostingReason = PostingReason.TRADE


def move_position(state: RiskState, move: Move, fee_rate_e12: int) -> tuple[int, int]:
    """Book a change of one position; (realised profit, fee) in minor units.

    Every perpetual trade and takeover comes through here, once for each side.
    """
    account, leg = move.account, move.leg
    contract = state.contracts[symbol_of(leg)]
    held = account.positions.get(leg)
    old_lots, old_cost = (held.lots, held.cost_minor) if held else (0, 0)
    amount = contract.amount_minor(abs(move.lots), move.price_ticks)
    value = contract.cost_minor(move.lots, amount)
    effect = fill_effect(old_lots, old_cost, move.lots, value)
    wallet = state.pocket_wallet(account, leg)
    pocket = state.pocket(account, wallet, contract.settle)
    margin_minor = pocket.minor  # Of an isolated position, before this.
    if effect.realised_minor:
        clearing = state.ledger.house(CLEARING, contract.settle, contract.symbol)
        state.ledger.post(clearing, pocket, effect.realised_minor, move.reason, move.reference)
    fee = fee_minor(amount, fee_rate_e12)
    closing = min(fee, fee_minor(amount - effect.opened_minor, fee_rate_e12))
    _charge_fee(state, move, pocket, closing, fee - closing)
    if account.id == INSURANCE:
        state.tallies.note(pocket, Flow.TRADING, effect.realised_minor - fee)
    if wallet != contract.cross_wallet:
        _move_isolated_margin(state, move, effect, (old_lots, margin_minor))
    if effect.lots:
        if held is None:
            held = account.positions[leg] = Position(leg)
        held.lots, held.cost_minor = effect.lots, effect.cost_minor
    elif held is not None:
        assert effect.cost_minor == 0, (move, effect)
        del account.positions[leg]
    state.touch_position(account, leg)
    return effect.realised_minor, fee


def _charge_fee(
    state: RiskState, move: Move, pocket: Pocket, closing_minor: int, opening_minor: int
) -> None:
    """One fee a fill, rounded up; an isolated position pays for what it closes itself."""
    target = state.ledger.house(FEES, pocket.asset)
    if closing_minor:
        state.ledger.post(pocket, target, closing_minor, PostingReason.FEE, move.reference)
    if opening_minor:
        wallet = state.contracts[symbol_of(move.leg)].cross_wallet
        free = state.pocket(move.account, wallet, pocket.asset)
        state.ledger.post(free, target, opening_minor, PostingReason.FEE, move.reference)


def _move_isolated_margin(
    state: RiskState, move: Move, effect: FillEffect, before: tuple[int, int]
) -> None:
    """Release the margin of what was closed, then allot that of what was opened (P4, V43)."""
    old_lots, margin_minor = before
    contract = state.contracts[symbol_of(move.leg)]
    position = state.pocket(move.account, position_wallet(move.leg), contract.settle)
    free = state.pocket(move.account, contract.cross_wallet, contract.settle)
    closed = effect.closed_lots
    if closed and not move.keep_margin:
        if closed == abs(old_lots):
            release_margin(state, move.account, move.leg)
            released = 0
        else:  # Its share of the margin (A5), with what this fill made or lost.
            kept = margin_minor - released_cost(margin_minor, closed, abs(old_lots))
            released = max(0, position.minor - max(0, kept))
        state.ledger.post(position, free, released, PostingReason.MARGIN, move.reference)
    if effect.opened_minor:
        leverage = move.account.setting(contract.symbol).leverage
        allotted = min(ceil_div(effect.opened_minor, leverage), max(0, free.minor))
        state.ledger.post(free, position, allotted, PostingReason.MARGIN, move.reference)


def release_margin(state: RiskState, account: Account, leg: str) -> None:
    """A position is closed: its margin returns to the wallet, or the fund pays what is missing.

    What the fund cannot pay makes the scope due: its liquidation waits for the money (P13.8).
    """
    contract = state.contracts[leg.partition("/")[0]]
    position = state.pocket(account, position_wallet(leg), contract.settle)
    cover(state, contract, position)
    free = state.pocket(account, contract.cross_wallet, contract.settle)
    state.ledger.post(position, free, max(0, position.minor), PostingReason.MARGIN)
    if position.minor:
        state.watch.touch(account.id, position.wallet)
    state.touch_wallet(account, contract.cross_wallet)


# -- open orders -------------------------------------------------------------------------------


def count_resting(state: RiskState, account: Account, order: Order) -> None:
    """A perpetual order came to rest: count it into the account's open orders."""
    if order.wallet != PERP or order.reduce_only:
        return
    sums = account.open_perp.setdefault(order.leg, OpenOrders())
    count_order(state.contracts[order.symbol], sums, order)
    order.counted_lots = order.open_lots


def count_order(contract: Contract, sums: OpenOrders, order: Order) -> None:
    """Add what is open of an order to sums."""
    minor = contract.order_minor(order.open_lots, order.price_ticks)
    sums.add(order.side, order.open_lots, minor)
    sums.held_minor += order.hold_minor


def uncount(state: RiskState, account: Account, order: Order, lots: int) -> None:
    """An order that was counted lost lots, by a fill or without one: take them and their share of
    the hold out of the sums.

    What is left is what was counted and not taken out yet: where a sweep meets several slices of
    an iceberg, its open lots are known to be less from the first of these fills on.
    """
    before = order.counted_lots
    if not before:
        return
    contract = state.contracts[order.symbol]
    sums = account.open_perp[order.leg]
    left = order.counted_lots = before - lots
    minor = contract.order_minor(before, order.price_ticks)
    minor -= contract.order_minor(left, order.price_ticks)
    sums.add(order.side, -lots, -minor)
    freed = order.hold_minor * lots // before
    order.hold_minor -= freed
    sums.held_minor -= freed
    if not sums.buy_lots and not sums.sell_lots:
        assert sums.values() == (0, 0, 0, 0, 0), (account.id, order.leg, sums.values())
        del account.open_perp[order.leg]
