"""Liquidation of perpetuals (P13): the book first, then the insurance fund, then deleveraging.

A liquidation runs to its end at once unless it needs counterparties (`risk.adl`): ranking them
takes slices, and until they are found the scope stays in liquidation, takes no requests, and is
then gone on with from what it is by then. Where neither book nor fund nor counterparty takes the
rest, or nobody pays what is owed, it waits and is tried again at every grid point; the other
side is ranked anew less often (`risk.adl.begin`).
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from matching.reasons import Reason
from matching.types import Order, Side
from risk.account import LONG, PERP, SHORT, Account, Job, leg_of
from risk.adl import begin, break_off, deleverage, note_outcome
from risk.contract import Contract
from risk.conversion import pay_debt
from risk.insurance import capacity_lots, cover, fund_pocket, means_minor, surplus_to_fund
from risk.ledger import INSURANCE, SOCIALIZED_LOSS, PostingReason
from risk.money import E12, charged
from risk.parts import position_parts
from risk.records import EndRecord, LiquidationRecord, StepRecord
from risk.scopes import (
    bankruptcy_of,
    breached,
    is_cross,
    perp_state,
    scope_leg,
    scope_legs,
)
from risk.settle_contract import Move, move_position, release_margin
from risk.state import RiskState
from risk.tallies import Flow


class Road(Protocol):
    """The way to the book that every order takes, as liquidations use it."""

    def cancel_wallet(self, account: Account, wallet: str, which: str = "") -> int:
        """Cancel the account's orders on a wallet, or on one of its symbols or legs; how many."""

    def cancel_everything(self, account: Account, reason: Reason) -> None:
        """Cancel every order the account has."""

    def force(
        self,
        account: Account,
        wallet: str,
        symbol: str,
        side: Side,
        lots: int,
        limit_ticks: int,
        leg: str = "",
    ) -> Order:
        """Place an immediate-or-cancel order past filters and margin; the order when done."""


# -- the procedure -----------------------------------------------------------------------------


def start_perp_liquidation(state: RiskState, road: Road, account: Account, scope: str) -> int:
    """Freeze a scope in breach, cancel its orders (P13.1), and go on with it; the work done."""
    _tell_start(state, account, scope)
    account.liquidating[scope] = Job()
    return 1 + _cancel_orders(state, road, account, scope) + pursue(state, road, account, scope)


def pursue(state: RiskState, road: Road, account: Account, scope: str) -> int:
    """Take a scope in liquidation as far as it goes (P13.2 to 8); the work done.

    It ends, or waits for its counterparties in `state.deleveraging`, or for a later grid point.
    """
    done = 1 + _net_legs(state, account, scope)
    for leg in _by_requirement(state, account, scope):
        done += _reduce_until_safe(state, road, account, scope, leg)
        if state.deleveraging is not None:
            return done
    _conclude(state, account, scope)
    return done


def resume(state: RiskState, road: Road, budget: int) -> int:
    """Go on with the deleveraging under way, and then with the liquidation it belongs to."""
    job = state.deleveraging
    if job is None:
        return 0
    done, is_over = deleverage(state, road, job, budget)
    if not is_over:
        return done
    note_outcome(state, job)
    account = break_off(state, job)
    if not account.lots(job.leg):
        return done + pursue(state, road, account, job.scope)
    if state.venue.socialized_loss:
        _hand_over(state, account, job.scope, job.leg, job.ticks, SOCIALIZED_LOSS)
        return done + pursue(state, road, account, job.scope)
    _wait(state, account, job.scope)
    return done


def restart(state: RiskState) -> None:
    """Prices moved at once, while counterparties were sought: all of it anew, at the new marks."""
    job = state.deleveraging
    if job is not None:
        break_off(state, job)
        state.jobs = {(job.account_id, job.scope): None} | state.jobs


def _wait(state: RiskState, account: Account, scope: str) -> None:
    """Nobody takes the rest: it is tried again at the next grid point, once at each."""
    account.liquidating[scope].round += 1
    state.jobs_later[account.id, scope] = None


def _tell_start(state: RiskState, account: Account, scope: str) -> None:
    """All the numbers that decided; symbol and prices where one position stands on the scope."""
    balance_e16, maintenance_e28 = perp_state(state, account, scope)
    legs = scope_legs(state, account, scope)
    symbol, mark_e8, ticks = "", 0, 0
    if len(legs) == 1:
        symbol = account.positions[legs[0]].symbol
        mark_e8 = state.mark_e8(symbol) or 0
        ticks = bankruptcy_of(state, account, scope, legs[0])
    state.tell(
        LiquidationRecord(
            account.id,
            scope,
            symbol,
            balance_e16,
            maintenance_e28 // E12,
            balance_e16 * E12 * E12 // maintenance_e28 if maintenance_e28 else 0,
            mark_e8,
            positions=position_parts(state, account, legs),
            bankruptcy_ticks=ticks,
            fund_minor=means_minor(state, _contract(state, account, scope)),
        )
    )


def _contract(state: RiskState, account: Account, scope: str) -> Contract:
    """A contract of a scope: all of them settle in one asset, through one pocket of the fund."""
    leg = scope_leg(scope)
    if leg:
        return state.contracts[leg.partition("/")[0]]
    return next(each for each in state.contracts.values() if each.cross_wallet == scope)


def _cancel_orders(state: RiskState, road: Road, account: Account, scope: str) -> int:
    """Every order that stands on the scope, reduce-only ones too (P13.1, T13); how many.

    Those on the other leg of an isolated position's symbol stand on margin of their own.
    """
    if not is_cross(scope):
        return road.cancel_wallet(account, PERP, scope_leg(scope))
    symbols = {order.symbol for order in account.orders.values() if order.wallet == PERP}
    return sum(
        road.cancel_wallet(account, PERP, symbol)
        for symbol in sorted(symbols)
        if state.contracts[symbol].cross_wallet == scope
    )


def _net_legs(state: RiskState, account: Account, scope: str) -> int:
    """The overlap of the two legs of a symbol closes against itself, at mark, no fee (P13.2).

    So that closing one leg does not leave the other naked (T23). The price is the mark's tick; it
    moves profit from one leg to the other and nothing else.
    """
    if not is_cross(scope) or not breached(state, account, scope):
        return 0
    done = 0
    for symbol in sorted({account.positions[leg].symbol for leg in account.positions}):
        legs = leg_of(symbol, LONG), leg_of(symbol, SHORT)
        overlap = min(abs(account.lots(leg)) for leg in legs)
        contract = state.contracts[symbol]
        if not overlap or contract.cross_wallet != scope or account.is_isolated(symbol):
            continue
        ticks = max(1, (state.mark_e8(symbol) or 0) // contract.tick_e8)
        for leg, signed in zip(legs, (-overlap, overlap), strict=True):
            move_position(state, Move(account, leg, signed, ticks, 0), 0)
        _tell_step(state, account, scope, symbol, Step("netted", overlap, ticks, ticks))
        done += 1
    return done


def _by_requirement(state: RiskState, account: Account, scope: str) -> list[str]:
    """Positions by maintenance margin, the largest first (P13.3)."""

    def need(leg: str) -> tuple[int, str]:
        held = account.positions[leg]
        mark_e8 = state.mark_e8(held.symbol)
        assert mark_e8 is not None
        return -state.contracts[held.symbol].maintenance_e28(held.lots, mark_e8), leg

    return sorted(scope_legs(state, account, scope), key=need)


def _reduce_until_safe(state: RiskState, road: Road, account: Account, scope: str, leg: str) -> int:
    """Step a position down bracket by bracket, then close it (P13.4, P13.5); the work done.

    What the book does not take of the whole goes to the fund, and to others (P13.7): the latter is
    left in `state.deleveraging`.
    """
    done = 0
    whole = False
    while leg in account.positions and breached(state, account, scope):
        held = account.positions[leg]
        mark_e8 = state.mark_e8(held.symbol)
        assert mark_e8 is not None
        contract = state.contracts[held.symbol]
        lots = abs(held.lots) if whole else contract.step_down_lots(held.lots, mark_e8)
        whole = whole or lots == abs(held.lots)
        ticks = bankruptcy_of(state, account, scope, leg)
        side = Side.SELL if held.lots > 0 else Side.BUY
        order = road.force(account, PERP, held.symbol, side, lots, ticks, leg)
        done += 1
        _charge(state, account, scope, order, ticks)
        if order.filled_lots == lots:
            continue
        if whole and leg in account.positions and breached(state, account, scope):
            _give_away(state, account, scope, leg, ticks)
            return done
        whole = True  # The book did not take a step: the whole rest goes (T14).
    return done


def _give_away(state: RiskState, account: Account, scope: str, leg: str, ticks: int) -> None:
    """What the book would not take: to the fund at the bankruptcy price, within its means, and
    the rest to those who are deleveraged (P13.7, V80)."""
    _hand_over(state, account, scope, leg, ticks, INSURANCE)
    if account.lots(leg):
        begin(state, account, scope, leg, ticks)


def _hand_over(
    state: RiskState, account: Account, scope: str, leg: str, ticks: int, house_id: int
) -> None:
    """A house account takes over at a price what it may; the fund only what it can answer for."""
    lots = account.lots(leg)
    symbol = leg.partition("/")[0]
    step = "socialized"
    if house_id == INSURANCE:
        step = "fund"
        sign = 1 if lots > 0 else -1
        contract = state.contracts[symbol]
        lots = sign * min(abs(lots), capacity_lots(state, contract, sign, ticks))
    if lots:
        _tell_step(state, account, scope, symbol, Step(step, abs(lots), ticks, ticks))
        take_over(state, account, state.accounts[house_id], leg, lots, ticks)


def take_over(
    state: RiskState, account: Account, house: Account, leg: str, lots: int, ticks: int
) -> None:
    """Move signed lots of a position to a house account, without the book and without fees."""
    state.settle(house)
    symbol = leg.partition("/")[0]
    move_position(state, Move(account, leg, -lots, ticks, 0, keep_margin=True), 0)
    move_position(state, Move(house, symbol, lots, ticks, 0), 0)


# -- fees and what remains ---------------------------------------------------------------------


def _charge(state: RiskState, account: Account, scope: str, order: Order, ticks: int) -> None:
    """The liquidation fee, on what was filled and from what equity is left (P13.6)."""
    contract = state.contracts[order.symbol]
    if not order.filled_lots:
        return
    average = order.filled_units // order.filled_lots
    filled_minor = order.filled_minor
    step = "sold" if order.side is Side.SELL else "bought"
    told = Step(step, order.filled_lots, average, ticks, filled_minor)
    _tell_step(state, account, scope, order.symbol, told)
    mark_e8 = state.mark_e8(order.symbol)
    assert mark_e8 is not None
    left = max(0, contract.floor_minor(perp_state(state, account, scope)[0], mark_e8))
    rate_e12 = state.perps[order.symbol].liquidation_fee_e12
    fee = min(charged(filled_minor, rate_e12), left)
    if fee:
        source = state.pocket(account, scope, contract.settle)
        fund = fund_pocket(state, contract)
        state.ledger.post(source, fund, fee, PostingReason.LIQUIDATION, order.order_id)
        state.tallies.note(fund, Flow.FEES, fee)
        charge = Step("fee", 0, 0, ticks, fee, rate_e12, filled_minor, left)
        _tell_step(state, account, scope, order.symbol, charge)


def _conclude(state: RiskState, account: Account, scope: str) -> None:
    """Safe again, closed, or bankrupt; the scope is free, unless nobody pays what it owes (P13.8).

    A cross wallet is safe with what stays, an isolated position is done when it is closed.
    """
    if scope_legs(state, account, scope):
        _end(state, account, scope, "restored", 0)
        return
    contract = _contract(state, account, scope)
    pocket = state.pocket(account, scope, contract.settle)
    pay_debt(state, account, scope, "liquidation")
    covered = cover(state, contract, pocket) if breached(state, account, scope) else 0
    if breached(state, account, scope):
        account.liquidating[scope].covered_minor += covered
        _wait(state, account, scope)
        return
    covered += account.liquidating[scope].covered_minor
    kept = surplus_to_fund(state, contract, pocket)
    if kept:
        left = Step("surplus", amount_minor=kept)
        _tell_step(state, account, scope, contract.symbol, left)
    if not is_cross(scope):
        release_margin(state, account, scope_leg(scope))
    _end(state, account, scope, "bankrupt" if covered else "closed", covered)


def _end(state: RiskState, account: Account, scope: str, result: str, covered: int) -> None:
    del account.liquidating[scope]
    contract = _contract(state, account, scope)
    means = means_minor(state, contract)
    state.tell(EndRecord(account.id, scope, result, covered, means))
    state.watch.touch(account.id, scope)


class Step(NamedTuple):
    """What a step did: lots at a price, the price that bounded it, money, and of a fee its rate,
    the amount it is charged on, and what there was to take it from."""

    step: str
    lots: int = 0
    price_ticks: int = 0
    bankruptcy_ticks: int = 0
    amount_minor: int = 0
    rate_e12: int = 0
    base_minor: int = 0
    left_minor: int = 0


def _tell_step(state: RiskState, account: Account, scope: str, symbol: str, did: Step) -> None:
    """Tell a step with what stands behind both sides by then."""
    contract = state.contracts[symbol]
    mark_e8 = state.mark_e8(symbol)
    assert mark_e8 is not None
    equity = contract.floor_minor(perp_state(state, account, scope)[0], mark_e8)
    state.tell(
        StepRecord(
            account.id,
            scope,
            symbol,
            did.step,
            contract.settle,
            did.amount_minor,
            did.lots,
            did.price_ticks,
            did.rate_e12,
            did.base_minor,
            did.left_minor,
            did.bankruptcy_ticks,
            equity,
            means_minor(state, contract),
        )
    )
