"""The invariants of money: what all accounts own and owe in sum, and each account by itself.

What an account adds to the sums is its *part*. `RiskEngine.check` adds up all parts from scratch;
the auditor of the running exchange keeps the parts and puts in order those that changed, so that
its sums cost what was touched and not what there is.
"""

from __future__ import annotations

from typing import Final

from matching.invariants import hold
from risk.account import PERP, Account, OpenOrders
from risk.ledger import CLEARING, FIRST_ACCOUNT, FUNDING, POOL
from risk.money import MINOR_IN_E18
from risk.pool import lent_minor
from risk.reserve_spot import resting_need
from risk.settle_contract import count_order
from risk.state import RiskState
from risk.tallies import FUNDS

BALANCE: Final = "balance"  # Of an asset, in minor units;
LOCKED: Final = "locked"  # the part of it that orders hold.
LOTS: Final = "lots"  # Of a contract, signed,
LONG: Final = "long"  # and the positive ones alone: its open interest.
COST: Final = "cost"  # Of a contract, in minor units of what it settles in.
PRINCIPAL: Final = "principal"  # Of an asset, in minor units.
INTEREST: Final = "interest"  # Owed of an asset, in 10^-18 of it.

Part = dict[tuple[str, str], int]  # (what, of which asset or contract): how much


def part_of(account: Account) -> Part:
    """What an account adds to the sums. O(what it has).

    The balances of the house's own accounts are summed where the ledger keeps them.
    """
    part: Part = {}
    if account.id >= FIRST_ACCOUNT:
        for (_, asset), pocket in account.pockets.items():
            _add(part, BALANCE, asset, pocket.minor)
            _add(part, LOCKED, asset, pocket.locked)
    for held in account.positions.values():
        _add(part, LOTS, held.symbol, held.lots)
        _add(part, LONG, held.symbol, max(0, held.lots))
        _add(part, COST, held.symbol, held.cost_minor)
    for (_, asset), loan in account.loans.items():
        _add(part, PRINCIPAL, asset, loan.principal_minor)
        _add(part, INTEREST, asset, loan.interest_e18)
    return part


def _add(part: Part, what: str, which: str, amount: int) -> None:
    if amount:
        part[what, which] = part.get((what, which), 0) + amount


class Sums:
    """The parts of all accounts, added up."""

    def __init__(self) -> None:
        self._sums: Part = {}

    def add(self, part: Part, sign: int = 1) -> None:
        """Count a part in, or with -1 out. O(its size)."""
        for key, amount in part.items():
            self._sums[key] = self._sums.get(key, 0) + sign * amount

    def get(self, what: str, which: str) -> int:
        """One of the sums; 0 where nobody has any."""
        return self._sums.get((what, which), 0)

    def names(self, what: str) -> list[str]:
        """The assets or contracts of which there is such a sum."""
        return sorted(which for kind, which in self._sums if kind == what)


def whole_sums(state: RiskState) -> Sums:
    """All parts, from scratch. O(accounts)."""
    sums = Sums()
    for account in state.accounts.values():
        sums.add(part_of(account))
    return sums


# -- sums --------------------------------------------------------------------------------------


def check_sums(state: RiskState, sums: Sums) -> None:
    """I1 to I4 and I10, so far as sums show them. O(assets + contracts + the house's pockets)."""
    check_money(state, sums)
    check_pools(state, sums)
    check_contracts(state, sums)
    check_rounding(state)
    check_funds(state)


def check_money(state: RiskState, sums: Sums) -> None:
    """I1: of every asset, the pockets of all customers and of the house add up to nothing."""
    houses = state.ledger.house_totals()
    for asset in sorted(houses.keys() | set(sums.names(BALANCE))):
        owners = houses.get(asset, {})
        total = sum(owners.values()) + sums.get(BALANCE, asset)
        hold("I1", total == 0, asset, "the pockets add up to {} units, not to zero", total)


def check_pools(state: RiskState, sums: Sums) -> None:
    """I2: cash and loans are capital, interest received, less bad debt; interest is receivable."""
    for asset in state.assets:
        cash = state.ledger.house_minor(POOL, asset)
        hold("I2", cash >= 0, asset, "the pool's cash is {}", cash)
        told, lent = lent_minor(state, asset), sums.get(PRINCIPAL, asset)
        hold("I2", told == lent, asset, "the pool lent {}, yet {} is owed", told, lent)
        due, owed = state.interest_due.get(asset, 0), sums.get(INTEREST, asset)
        hold("I2", due == owed, asset, "interest of {} is receivable, yet {} is owed", due, owed)


def check_contracts(state: RiskState, sums: Sums) -> None:
    """I3: sizes sum to zero, and costs to what was realised so far."""
    for symbol in state.perps:
        lots = sums.get(LOTS, symbol)
        hold("I3", lots == 0, symbol, "the positions sum to {} lots", lots)
        cost = sums.get(COST, symbol)
        cleared = state.ledger.house_minor(CLEARING, state.instruments[symbol].settle, symbol)
        hold("I3", cost == -cleared, symbol, "costs of {}, yet {} was realised", cost, -cleared)


def check_rounding(state: RiskState) -> None:
    """I4: funding is in transit only at pending instants; less than a unit of interest is over."""
    for asset, rest_e18 in state.rounded_e18.items():
        hold("I4", 0 <= rest_e18 < MINOR_IN_E18, asset, "{} x 10^-18 left over", rest_e18)
    pending = {
        f"{symbol}@{instant.number}"
        for instant in state.instants.pending
        for symbol in instant.funding
    }
    for pocket in state.ledger.house_pockets(FUNDING):
        if pocket.wallet not in pending:
            hold("I4", pocket.minor == 0, pocket.wallet, "{} units in transit", pocket.minor)


def check_funds(state: RiskState) -> None:
    """I10: the funds hold what explains them; what was deleveraged is what was to be."""
    for owner in FUNDS:
        state.tallies.check(state.ledger.house_pockets(owner))
    job = state.deleveraging
    seeking = 0 if job is None else abs(state.accounts[job.account_id].lots(job.leg))
    for symbol in state.perps:
        under_way = job is not None and job.symbol == symbol
        state.tallies.check_given(symbol, seeking if under_way else 0)


def check_in_transit(state: RiskState) -> None:
    """I4 while some have not settled: what is in transit and what they owe or get round to zero.

    O(accounts x pending instants).
    """
    for instant in state.instants.pending:
        for symbol in instant.funding:
            settle = state.instruments[symbol].settle
            name = f"{symbol}@{instant.number}"
            transit = state.ledger.house_minor(FUNDING, settle, name)
            flows = [
                state.funding_flow(held, instant)
                for account in state.accounts.values()
                if account.settled < instant.number
                for held in account.positions.values()
                if held.symbol == symbol
            ]
            payers = instant.paid.get(symbol, 0) + len(flows)
            rest = transit - sum(flows)
            says = f"{rest} of {transit} units in transit are nobody's, of {payers} positions"
            hold("I4", 0 <= rest < max(1, payers), name, says)


# -- one account -------------------------------------------------------------------------------


def check_account(state: RiskState, account: Account) -> None:
    """I5 and I9 of one account: holds are its orders', and no cash wallet is below zero."""
    locked: dict[tuple[str, str], int] = {}
    sums: dict[str, OpenOrders] = {}
    _count_orders(state, account, locked, sums)
    for key, pocket in account.pockets.items():
        asked = locked.get(key, 0)
        hold("I5", pocket.locked == asked, account.id, "{}, yet its orders hold {}", pocket, asked)
        hold("I5", not asked or 0 <= asked <= pocket.minor, account.id, pocket)
        may_owe = key[0].startswith(PERP) or account.id < FIRST_ACCOUNT
        hold("I9", pocket.minor >= 0 or may_owe, account.id, pocket)
        strange = key[0] == PERP and key[1] != state.venue.quote and bool(pocket.minor)
        alone = not strange or account.multi_asset or account.id < FIRST_ACCOUNT
        hold("I5", alone, account.id, "{}, yet not in multi-asset mode", pocket)
    mine = {leg: each.values() for leg, each in account.open_perp.items()}
    theirs = {leg: each.values() for leg, each in sums.items()}
    hold("I5", mine == theirs, account.id, "sums of orders {}, not {}", mine, theirs)
    for loan in account.loans.values():
        owes = loan.principal_minor >= 0 and loan.interest_e18 >= 0
        hold("I2", owes, account.id, "{}: a debt below zero", loan.asset)
    exposed = account.id in state.instants.exposed
    hold("I4", exposed == account.exposed, account.id, "instants do not know whether it is exposed")
    trades = account.id in state.fee_day.traders
    hold("I13", trades == account.volumes.matter, account.id, "the day roll does not know of it")
    hold("I4", account.settled <= state.instants.last, account.id, "it settled what is to come")
    check_reducing(account)
    check_multi_asset(state, account)


def check_multi_asset(state: RiskState, account: Account) -> None:
    """I5: several assets stand on cross margin alone; less than a unit of interest is carried."""
    carried = account.perp_interest_e18
    fits = all(0 < rest_e18 < MINOR_IN_E18 for rest_e18 in carried.values())
    hold("I5", fits and (account.multi_asset or not carried), account.id, "carries {}", carried)
    if account.multi_asset:
        isolated = [name for name in account.settings if account.is_isolated(name)]
        linear = [name for name in isolated if not state.contracts[name].inverse]
        hold("I5", not linear, account.id, "isolated {} in multi-asset mode", linear)


def _count_orders(
    state: RiskState,
    account: Account,
    locked: dict[tuple[str, str], int],
    sums: dict[str, OpenOrders],
) -> None:
    for order in account.orders.values():
        if order.wallet == PERP:
            if not order.reduce_only and not order.is_asleep:
                each = sums.setdefault(order.leg, OpenOrders())
                count_order(state.contracts[order.symbol], each, order)
            continue
        asset, need = resting_need(state, order)
        hold("I5", order.hold_minor == need, account.id, "{} holds {}", order, order.hold_minor)
        key = (order.wallet, asset)
        locked[key] = locked.get(key, 0) + order.hold_minor


def check_reducing(account: Account) -> None:
    """I8: what works to reduce a position never exceeds it; a leg keeps to its side."""
    for held in account.positions.values():
        _, _, side = held.leg.partition("/")
        wrong = (side == "LONG" and held.lots < 0) or (side == "SHORT" and held.lots > 0)
        hold("I8", bool(held.lots) and not wrong, account.id, held)
        hold("I8", bool(side) == account.hedge, account.id, "{} in the other mode", held)
    for leg, reducing in account.reducing.items():
        working = sum(order.open_lots for order in reducing.values())
        most = abs(account.lots(leg))
        hold("I8", working <= most, account.id, "{}: {} lots to reduce {}", leg, working, most)
