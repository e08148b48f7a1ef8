"""Liquidation of perpetuals (P13): orders on the book first, then the insurance fund.

Until auto-deleveraging exists the fund takes every unfilled remainder at the bankruptcy price and
may go below zero; the audit names the deficit.
"""

from __future__ import annotations

from typing import Protocol

from matching.reasons import Reason
from matching.types import Order, Side
from risk.account import PERP, Account
from risk.fees import rates_e12
from risk.ledger import FIRST_ACCOUNT, INSURANCE, LIQUIDATION, PostingReason
from risk.margin import bankruptcy_ticks, must_liquidate, step_down_lots
from risk.money import E12, MINOR_IN_E16, charged, minor_floor
from risk.parts import position_parts
from risk.perp_worth import cross_symbols, perp_worth, position_worth
from risk.records import EndRecord, LiquidationRecord, StepRecord
from risk.settle_contract import Move, cover, move_position, release_margin
from risk.state import RiskState

UNWIND_BAND_E12 = E12 // 200  # The house sells what it took over within 0.5 % of the mark,
UNWIND_NOTIONAL_MINOR = 50_000 * 10**8  # in slices of this much at a time.


class Road(Protocol):
    """The way to the book that every order takes, as liquidations use it."""

    def cancel_wallet(self, account: Account, wallet: str, symbol: str = "") -> None:
        """Cancel the account's orders on a wallet, or those on one of its symbols."""

    def cancel_everything(self, account: Account, reason: Reason) -> None:
        """Cancel every order the account has."""

    def force(
        self, account: Account, wallet: str, symbol: str, side: Side, lots: int, limit_ticks: int
    ) -> Order:
        """Place an immediate-or-cancel order past filters and margin; the order when done."""


def perp_state(state: RiskState, account: Account, scope: str) -> tuple[int, int]:
    """(balance_e16, maintenance_e28) of the cross wallet or of one isolated position."""
    if scope == PERP:
        worth = perp_worth(state, account)
        return worth.balance_e16, worth.maintenance_e28
    symbol = scope.removeprefix(PERP + "/")
    if symbol not in account.positions:
        return 0, -1  # Nothing is held, so nothing is required.
    return position_worth(state, account, symbol)


def scope_symbols(account: Account, scope: str) -> list[str]:
    """The positions that stand on a scope's margin."""
    if scope == PERP:
        return cross_symbols(account)
    symbol = scope.removeprefix(PERP + "/")
    return [symbol] if symbol in account.positions else []


def breached(state: RiskState, account: Account, scope: str) -> bool:
    """Whether balance has fallen to maintenance (P11), or below zero with nothing left to close.

    The latter befalls a cross account that closed its position itself, past its bankruptcy price.
    """
    if not scope_symbols(account, scope):
        return scope == PERP and perp_state(state, account, scope)[0] < 0
    return must_liquidate(*perp_state(state, account, scope))


def liquidate_perp(state: RiskState, road: Road, account: Account, scope: str) -> None:
    """Take a scope through P13, to the end, within one unit of work."""
    balance_e16, maintenance_e28 = perp_state(state, account, scope)
    symbols = scope_symbols(account, scope)
    first = symbols[0] if scope != PERP else ""
    state.tell(
        LiquidationRecord(
            account.id,
            scope,
            first,
            balance_e16,
            maintenance_e28 // E12,
            balance_e16 * E12 * E12 // maintenance_e28 if maintenance_e28 else 0,
            (state.mark_e8(symbols[0]) or 0) if first else 0,
            positions=position_parts(state, account, symbols),
        )
    )
    road.cancel_wallet(account, PERP, first)
    for symbol in _by_requirement(state, account, symbols):
        _reduce_until_safe(state, road, account, scope, symbol)
    result = "restored" if scope_symbols(account, scope) else "closed"
    if scope == PERP:
        covered = _cover_cross(state, account)
    else:
        covered = 0 if result == "restored" else release_margin(state, account, first)
    if covered:
        result = "bankrupt"
    state.tell(EndRecord(account.id, scope, result, covered))


def _by_requirement(state: RiskState, account: Account, symbols: list[str]) -> list[str]:
    """Positions by maintenance margin, the largest first (P13.3)."""

    def need(symbol: str) -> int:
        return -position_worth(state, account, symbol)[1]

    return sorted(symbols, key=lambda symbol: (need(symbol), symbol))


def _reduce_until_safe(
    state: RiskState, road: Road, account: Account, scope: str, symbol: str
) -> None:
    """Step a position down bracket by bracket, then close it (P13.4, P13.5)."""
    instrument = state.instruments[symbol]
    whole = False
    while symbol in account.positions and breached(state, account, scope):
        mark_e8 = state.mark_e8(symbol)
        assert mark_e8 is not None
        held = account.positions[symbol].lots
        lots = step_down_lots(held, instrument.lot_minor, mark_e8, state.perps[symbol].brackets)
        if whole or lots <= 0:
            lots = abs(held)
        ticks = _bankruptcy_ticks(state, account, scope, symbol)
        side = Side.SELL if held > 0 else Side.BUY
        order = road.force(account, PERP, symbol, side, lots, ticks)
        _charge(state, account, scope, order)
        if order.filled_lots == lots:
            continue
        if lots == abs(held):
            _hand_to_fund(state, account, scope, symbol, ticks)
        whole = True  # The book did not take a step: the whole rest goes.


def _bankruptcy_ticks(state: RiskState, account: Account, scope: str, symbol: str) -> int:
    """The price that leaves the scope nothing once this position is closed (P12)."""
    held = account.positions[symbol]
    instrument = state.instruments[symbol]
    mark_e8 = state.mark_e8(symbol)
    assert mark_e8 is not None
    balance_e16, _ = perp_state(state, account, scope)
    margin_e16 = balance_e16 - held.unrealised_e16(instrument.lot_minor, mark_e8)
    return bankruptcy_ticks(
        held.lots * instrument.lot_minor,
        held.cost_minor,
        margin_e16,
        rates_e12(state, account, "perp").taker_e12,
        instrument.tick_e8,
    )


def _charge(state: RiskState, account: Account, scope: str, order: Order) -> None:
    """The liquidation fee, on what was filled and from what equity is left (P13.6)."""
    instrument = state.instruments[order.symbol]
    filled_minor = order.filled_units * instrument.unit_minor
    if not filled_minor:
        return
    state.tell(
        StepRecord(
            account.id,
            scope,
            order.symbol,
            "sold" if order.side is Side.SELL else "bought",
            instrument.settle,
            filled_minor,
            order.filled_lots,
            order.filled_units // order.filled_lots,
        )
    )
    if scope == PERP or order.symbol in account.positions:
        left = minor_floor(perp_state(state, account, scope)[0])
    else:
        left = account.minor(scope, instrument.settle)
    wanted = charged(filled_minor, state.perps[order.symbol].liquidation_fee_e12)
    fee = min(wanted, max(0, left))
    source = state.pocket(account, scope, instrument.settle)
    fund = state.pocket(state.accounts[INSURANCE], PERP, instrument.settle)
    state.ledger.post(source, fund, fee, PostingReason.LIQUIDATION, order.order_id)
    if fee:
        rate_e12 = state.perps[order.symbol].liquidation_fee_e12
        told = (fee, 0, 0, rate_e12, filled_minor, max(0, left))
        state.tell(StepRecord(account.id, scope, order.symbol, "fee", instrument.settle, *told))


def _hand_to_fund(state: RiskState, account: Account, scope: str, symbol: str, ticks: int) -> None:
    """What the book would not take: the insurance fund takes it at the bankruptcy price (P13.7)."""
    lots = account.lots(symbol)
    if not lots:
        return
    take_over(state, account, state.accounts[INSURANCE], symbol, ticks)
    settle = state.instruments[symbol].settle
    state.tell(StepRecord(account.id, scope, symbol, "fund", settle, 0, abs(lots), ticks))


def take_over(state: RiskState, account: Account, house: Account, symbol: str, ticks: int) -> None:
    """Move a whole position to a house account at a price, without the book and without fees."""
    state.settle(house)
    lots = account.lots(symbol)
    move_position(state, Move(account, symbol, -lots, ticks, 0, keep_margin=True), 0)
    move_position(state, Move(house, symbol, lots, ticks, 0), 0)


def _cover_cross(state: RiskState, account: Account) -> int:
    """A cross wallet that ends below zero with nothing left to win it back: the fund pays."""
    if cross_symbols(account):
        return 0
    gap = 0
    for (wallet, _), pocket in account.pockets.items():
        if wallet == PERP and pocket.minor < 0:
            gap -= pocket.minor
            cover(state, pocket, -pocket.minor)
    return gap


# -- what the house took over ------------------------------------------------------------------


def unwind_positions(state: RiskState, road: Road) -> None:
    """Sell the house's positions back to the book, a small slice at a time (P13.7)."""
    for owner in (INSURANCE, LIQUIDATION):
        assert owner < FIRST_ACCOUNT
        house = state.accounts[owner]
        state.settle(house)
        for symbol in sorted(house.positions):
            mark_e8 = state.mark_e8(symbol)
            if mark_e8 is None or symbol in state.halted:
                continue
            instrument = state.instruments[symbol]
            held = house.positions[symbol].lots
            slice_lots = UNWIND_NOTIONAL_MINOR * MINOR_IN_E16 // (instrument.lot_minor * mark_e8)
            lots = min(abs(held), max(1, slice_lots))
            if held > 0:
                bound_e8 = mark_e8 * (E12 - UNWIND_BAND_E12) // E12
                side, ticks = Side.SELL, -(-bound_e8 // instrument.tick_e8)
            else:
                bound_e8 = mark_e8 * (E12 + UNWIND_BAND_E12) // E12
                side, ticks = Side.BUY, bound_e8 // instrument.tick_e8
            road.force(house, PERP, symbol, side, lots, ticks)
    _settle_house(state)


def _settle_house(state: RiskState) -> None:
    """What the liquidation account won or lost on positions it took over is the fund's."""
    house, fund = state.accounts[LIQUIDATION], state.accounts[INSURANCE]
    if house.positions:
        return
    for (wallet, asset), pocket in list(house.pockets.items()):
        if wallet == PERP and pocket.minor:
            state.ledger.post(
                pocket, state.pocket(fund, PERP, asset), pocket.minor, PostingReason.LIQUIDATION
            )
