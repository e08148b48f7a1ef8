"""After a perpetual fill: position and cost, realised profit, fee, and isolated margin."""

from __future__ import annotations

from typing import NamedTuple

from matching.types import Fill, Order, Side
from risk.account import PERP, Account, OpenOrders, position_wallet
from risk.fees import fee_minor, fee_rate_e12
from risk.insurance import cover
from risk.ledger import CLEARING, FEES, PostingReason
from risk.position import Position, fill_effect, released_cost
from risk.records import Booked
from risk.state import RiskState


def settle_contract_fill(state: RiskState, order: Order, fill: Fill, trade_id: int) -> Booked:
    """One side of a perpetual fill (A5): position and cost, realised profit, fee, margin."""
    account = state.accounts[order.account_id]
    instrument = state.instruments[order.symbol]
    signed = fill.lots if order.side is Side.BUY else -fill.lots
    move = Move(account, order.symbol, signed, fill.price_ticks, trade_id, order.forced)
    rate_e12 = fee_rate_e12(state, order, fill)
    realised, fee = move_position(state, move, rate_e12)
    if order is fill.maker:
        _uncount(state, account, order, fill.lots)
    return Booked(fee, instrument.settle, realised)


class Move(NamedTuple):
    """A change of one position: signed lots at a price, and the trade it comes from.

    A liquidation keeps the margin of what it closes in the position until it is done (V73).
    """

    account: Account
    symbol: str
    lots: int
    price_ticks: int
    reference: int
    keep_margin: bool = False
    reason: PostingReason = PostingReason.TRADE


def move_position(state: RiskState, move: Move, fee_rate_e12: int) -> tuple[int, int]:
    """Book a change of one position; (realised profit, fee) in minor units.

    Every perpetual trade and takeover comes through here, once for each side.
    """
    account, symbol = move.account, move.symbol
    instrument = state.instruments[symbol]
    held = account.positions.get(symbol)
    old_lots, old_cost = (held.lots, held.cost_minor) if held else (0, 0)
    effect = fill_effect(old_lots, old_cost, move.lots, move.price_ticks, instrument.unit_minor)
    wallet = account.perp_pocket_wallet(symbol)
    pocket = state.pocket(account, wallet, instrument.settle)
    margin_minor = pocket.minor  # Of an isolated position, before this.
    state.ledger.post(
        state.ledger.house(CLEARING, instrument.settle, symbol),
        pocket,
        effect.realised_minor,
        move.reason,
        move.reference,
    )
    fee = _charge_contract_fee(state, move, effect.closed_lots, fee_rate_e12)
    if wallet != PERP:
        _move_isolated_margin(state, move, (old_lots, effect.closed_lots, margin_minor))
    if effect.lots:
        if held is None:
            held = account.positions[symbol] = Position(symbol)
        held.lots, held.cost_minor = effect.lots, effect.cost_minor
    elif held is not None:
        assert effect.cost_minor == 0, (move, effect)
        del account.positions[symbol]
    state.touch_position(account, symbol)
    return effect.realised_minor, fee


def _charge_contract_fee(state: RiskState, move: Move, closed: int, rate_e12: int) -> int:
    """One fee a fill, rounded up; an isolated position pays for what it closes itself."""
    instrument = state.instruments[move.symbol]
    fee = fee_minor(instrument.notional_minor(move.price_ticks, abs(move.lots)), rate_e12)
    closing = fee_minor(instrument.notional_minor(move.price_ticks, closed), rate_e12)
    closing = min(closing, fee)
    wallet = move.account.perp_pocket_wallet(move.symbol)
    target = state.ledger.house(FEES, instrument.settle)
    for source, part in ((wallet, closing), (PERP, fee - closing)):
        pocket = state.pocket(move.account, source, instrument.settle)
        state.ledger.post(pocket, target, part, PostingReason.FEE, move.reference)
    return fee


def _move_isolated_margin(state: RiskState, move: Move, before: tuple[int, int, int]) -> None:
    """Release the margin of what was closed, then allot that of what was opened (P4, V43)."""
    old_lots, closed, margin_minor = before
    instrument = state.instruments[move.symbol]
    position = state.pocket(move.account, position_wallet(move.symbol), instrument.settle)
    free = state.pocket(move.account, PERP, instrument.settle)
    if closed and not move.keep_margin:
        if closed == abs(old_lots):
            release_margin(state, move.account, move.symbol)
            released = 0
        else:  # Its share of the margin (A5), with what this fill made or lost.
            kept = margin_minor - released_cost(margin_minor, closed, abs(old_lots))
            released = max(0, position.minor - max(0, kept))
        state.ledger.post(position, free, released, PostingReason.MARGIN, move.reference)
    opened = abs(move.lots) - closed
    if opened:
        leverage = move.account.setting(move.symbol).leverage
        notional = instrument.notional_minor(move.price_ticks, opened)
        allotted = min(-(-notional // leverage), max(0, free.minor))
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


def count_resting(state: RiskState, account: Account, order: Order) -> None:
    """A perpetual order came to rest: count it into the account's open orders."""
    if order.wallet != PERP or order.reduce_only:
        return
    sums = account.open_perp.setdefault(order.symbol, OpenOrders())
    sums.add(order.side, order.open_lots, order.price_ticks)
    sums.held_minor += order.hold_minor


def _uncount(state: RiskState, account: Account, order: Order, lots: int) -> None:
    """A counted order lost lots by a fill: take them and their share of the hold out."""
    sums = account.open_perp.get(order.symbol)
    if sums is None or order.reduce_only:
        return
    sums.add(order.side, -lots, order.price_ticks)
    before = order.open_lots + lots
    freed = order.hold_minor * lots // before
    order.hold_minor -= freed
    sums.held_minor -= freed
    _drop_if_empty(account, order.symbol)


def uncount_closed(
    state: RiskState, account: Account, order: Order, lots: int, left: int = 0
) -> None:
    """A counted order lost `lots` without trading and has `left`: take those lots out."""
    if order.wallet == PERP and not order.reduce_only and order.symbol in account.open_perp:
        sums = account.open_perp[order.symbol]
        sums.add(order.side, -lots, order.price_ticks)
        freed = order.hold_minor * lots // (left + lots) if left else order.hold_minor
        order.hold_minor -= freed
        sums.held_minor -= freed
        _drop_if_empty(account, order.symbol)


def _drop_if_empty(account: Account, symbol: str) -> None:
    sums = account.open_perp[symbol]
    if not sums.buy_lots and not sums.sell_lots:
        assert sums.values() == (0, 0, 0, 0, 0), (account.id, symbol, sums.values())
        del account.open_perp[symbol]
