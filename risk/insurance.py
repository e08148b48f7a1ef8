"""The insurance fund of perpetuals: what it may take over, and what it can and does pay (P13)."""

from __future__ import annotations

from risk.contract import Contract
from risk.ledger import INSURANCE, SOCIALIZED_LOSS, Pocket, PostingReason
from risk.records import CoverRecord
from risk.state import RiskState
from risk.tallies import Flow


def fund_pocket(state: RiskState, contract: Contract) -> Pocket:
    """The fund's money for a contract: one pocket a cross wallet."""
    return state.pocket(state.accounts[INSURANCE], contract.cross_wallet, contract.settle)


def means_minor(state: RiskState, contract: Contract) -> int:
    """What the fund can answer for: its balance, less what its positions have lost at the marks.

    A profit that is not realised pays nobody. Never below zero. O(the fund's positions).
    """
    balance = fund_pocket(state, contract).minor
    fund = state.accounts[INSURANCE]
    open_minor = 0
    for held in fund.positions.values():
        each = state.contracts[held.symbol]
        if each.cross_wallet == contract.cross_wallet:
            mark_e8 = state.mark_e8(held.symbol)
            assert mark_e8 is not None
            profit = each.unrealised_e16(held.lots, held.cost_minor, mark_e8)
            open_minor += each.floor_minor(profit, mark_e8)
    return max(0, min(balance, balance + open_minor))


def capacity_lots(state: RiskState, contract: Contract, sign: int, ticks: int) -> int:
    """How many lots of a long (sign 1) or a short (-1) the fund may take at a price (P13.7, V80).

    The notional of all it holds must not exceed what it can answer for: what it takes, with what
    it has of the same contract, at that price, the others at their marks. What makes its position
    smaller it may always take.
    """
    fund = state.accounts[INSURANCE]
    others_minor = 0
    for held in fund.positions.values():
        each = state.contracts[held.symbol]
        if each.cross_wallet == contract.cross_wallet and held.symbol != contract.symbol:
            mark_e8 = state.mark_e8(held.symbol)
            assert mark_e8 is not None
            others_minor += each.ceil_minor(each.notional_e16(held.lots, mark_e8), mark_e8)
    price_e8 = ticks * contract.tick_e8
    room_minor = max(0, means_minor(state, contract) - others_minor)
    most = room_minor * contract.factor(price_e8) // contract.notional_e16(1, price_e8)
    mine = fund.lots(contract.symbol) * sign
    return max(0, most - mine) if mine > 0 else most - mine


def cover(state: RiskState, contract: Contract, pocket: Pocket) -> int:
    """Pay what a pocket is below zero, exactly, as far as the fund's means go (P13.8).

    The rest is a loss for all where the venue allows that, and else stays: what was paid.
    """
    gap = max(0, -pocket.minor)
    paid = min(gap, means_minor(state, contract))
    if paid:
        fund = fund_pocket(state, contract)
        state.ledger.post(fund, pocket, paid, PostingReason.INSURANCE)
        state.tallies.note(fund, Flow.COVERS, -paid)
        state.tell(CoverRecord("insurance", pocket.asset, paid, fund.minor))
    rest = gap - paid
    if rest and state.venue.socialized_loss:
        house = state.pocket(
            state.accounts[SOCIALIZED_LOSS], contract.cross_wallet, contract.settle
        )
        state.ledger.post(house, pocket, rest, PostingReason.INSURANCE)
        state.tell(CoverRecord("socialized_loss", pocket.asset, rest, house.minor))
        paid += rest
    return paid


def surplus_to_fund(state: RiskState, contract: Contract, pocket: Pocket) -> int:
    """What a closed liquidation left, where the venue keeps it (V72); the amount."""
    if state.venue.surplus != "fund" or pocket.minor <= 0:
        return 0
    amount, fund = pocket.minor, fund_pocket(state, contract)
    state.ledger.post(pocket, fund, amount, PostingReason.LIQUIDATION)
    state.tallies.note(fund, Flow.SURPLUS, amount)
    return amount
