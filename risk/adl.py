"""Auto-deleveraging (P14): who must give up a position that neither the book nor the fund takes.

Holders of the other side are ranked by profit and leverage and trade at the bankruptcy price, the
first of the ranking first. Ranking everybody is work that grows with the accounts, so it is done
in slices: one after the other is looked at, and whoever changes in the meantime is looked at once
more, so that each choice is made from all holders as they are then, at one mark.
"""

from __future__ import annotations

import heapq
from typing import Any, Final, Protocol

from matching.types import Side
from risk.account import LONG, ONE_WAY, PERP, SHORT, Account, leg_of
from risk.holders import FIRST, Holding
from risk.insurance import means_minor
from risk.ledger import FIRST_ACCOUNT, PostingReason
from risk.money import E12
from risk.ratio import Ratio
from risk.records import DeleverRecord, StepRecord
from risk.scopes import perp_state, scope_of
from risk.settle_contract import Move, move_position
from risk.state import RiskState

RETRY_GRID_POINTS: Final = 10  # Where nobody was found, so long nobody is sought, unless
MOVED_E3: Final = 1  # the mark moved by 0.1 %, or the price is better for the other side.
QUANTILES: Final = 5  # The indicator of owners: 5 is who goes first.


class Orders(Protocol):
    """What deleveraging asks of the way to the book."""

    def cancel_wallet(self, account: Account, wallet: str, which: str = "") -> int:
        """Cancel the account's orders on a wallet, or on one of its symbols or legs; how many."""


# -- the score ---------------------------------------------------------------------------------


def score(cost_e16: int, unrealised_e16: int, notional_e16: int, equity_e16: int) -> Ratio:
    """Profit in % x effective leverage, or a loss in % / effective leverage (P14, V70, V71).

    Profit is measured by what the position cost, leverage is its size over the equity behind it.
    All four in one unit; `equity_e16` above zero.
    """
    assert equity_e16 > 0
    cost = max(1, abs(cost_e16))
    if unrealised_e16 > 0:
        return Ratio(unrealised_e16 * notional_e16, cost * equity_e16)
    return Ratio(unrealised_e16 * equity_e16, cost * notional_e16)


def leg_score(state: RiskState, account: Account, leg: str) -> Ratio | None:
    """The score of a position at the mark; None for one without equity behind it."""
    held = account.positions[leg]
    contract = state.contracts[held.symbol]
    mark_e8 = state.mark_e8(held.symbol)
    assert mark_e8 is not None
    equity, _ = perp_state(state, account, scope_of(state, account, leg))
    if equity <= 0:
        return None
    return score(
        held.cost_minor * contract.factor(mark_e8),
        contract.unrealised_e16(held.lots, held.cost_minor, mark_e8),
        contract.notional_e16(held.lots, mark_e8),
        equity,
    )


def spare_lots(state: RiskState, account: Account, leg: str, ticks: int) -> int:
    """How many of its lots a position can give up at a price and stay above maintenance.

    A price worse than the mark takes from the equity behind it; beyond what that has to spare a
    deleveraging would only make the next liquidation, and the next bankruptcy.
    """
    held = account.positions[leg]
    contract = state.contracts[held.symbol]
    mark_e8 = state.mark_e8(held.symbol)
    assert mark_e8 is not None
    sign = 1 if held.lots > 0 else -1
    equity, needed_e28 = perp_state(state, account, scope_of(state, account, leg))

    def lost_e16(lots: int) -> int:
        """What so many lots are worth more at the mark than at the price."""
        cost = contract.cost_minor(sign * lots, contract.amount_minor(lots, ticks))
        return contract.unrealised_e16(sign * lots, cost, mark_e8)

    def fits(lots: int) -> bool:
        """Whether what is left without them is safe, or nothing is left and nothing owed."""
        rest_e28 = others_e28 + contract.maintenance_e28(abs(held.lots) - lots, mark_e8)
        left_e28 = (equity - lost_e16(lots)) * E12
        return left_e28 > rest_e28 or left_e28 == rest_e28 == 0

    others_e28 = needed_e28 - contract.maintenance_e28(held.lots, mark_e8)
    none, lots = 0, abs(held.lots)
    if lost_e16(lots) <= 0 or fits(lots):
        return lots
    while none + 1 < lots:  # Between them lies the last that fits; the need falls ever slower.
        middle = (none + lots) // 2
        if fits(middle):
            none = middle
        else:
            lots = middle
    return none


# -- the ranking -------------------------------------------------------------------------------


class Deleveraging:
    """One remainder on its way to its counterparties: who was looked at, and how they rank.

    There is one at a time; it stands in the snapshot, the heap is made of the scores.
    """

    def __init__(
        self, account_id: int, scope: str, leg: str, longs: bool, ticks: int, in_vain: bool = False
    ) -> None:
        self.account_id = account_id  # Whose position is given up,
        self.scope = scope
        self.leg = leg
        self.longs = longs  # who may have to take it: longs, or shorts,
        self.ticks = ticks  # and at which price.
        self.rank = 0  # How many counterparties there were so far.
        self.in_vain = in_vain  # Nobody was found lately: only who changes is looked at.
        self._cursor: Holding | None = None if in_vain else FIRST  # All up to it were; None: all.
        self._scores: dict[Holding, Ratio] = {}
        self._heap: list[tuple[Ratio, Holding]] = []  # Scores negated; old ones may linger.
        self._changed: dict[int, None] = {}  # Accounts to look at once more.

    @property
    def symbol(self) -> str:
        """The contract."""
        return self.leg.partition("/")[0]

    def note(self, account: Account) -> None:
        """An account changed: its place may be another one. O(1)."""
        self._changed[account.id] = None

    def look(self, state: RiskState, budget: int) -> int:
        """Look at the next holders, and again at those who changed; the work done."""
        done = 0
        while self._cursor is not None and done < budget:
            self._cursor = state.holders.after(self.symbol, self.longs, self._cursor)
            if self._cursor is not None:
                self._place(state, self._cursor)
            done += 1
        while self._changed and done < budget:
            account_id = next(iter(self._changed))
            del self._changed[account_id]
            for position_side in (ONE_WAY, LONG, SHORT):
                self._place(state, (account_id, leg_of(self.symbol, position_side)))
            done += 1
        return done

    @property
    def complete(self) -> bool:
        """Whether everybody stands where they belong."""
        return self._cursor is None and not self._changed

    def first(self) -> Holding | None:
        """The highest of the ranking, equal ones by account; None where nobody is left."""
        assert self.complete
        while self._heap:
            negated, holding = self._heap[0]
            if self._scores.get(holding) == -negated:
                return holding
            heapq.heappop(self._heap)
        return None

    def score_of(self, holding: Holding) -> Ratio:
        """The score it has in the ranking."""
        return self._scores[holding]

    def _place(self, state: RiskState, holding: Holding) -> None:
        """Give a holding its place in the ranking, or none."""
        found = self._score(state, *holding)
        if found is None:
            self._scores.pop(holding, None)
        elif self._scores.get(holding) != found:
            self._scores[holding] = found
            heapq.heappush(self._heap, (-found, holding))

    def _score(self, state: RiskState, account_id: int, leg: str) -> Ratio | None:
        """The score of who can be deleveraged: holds the other side, with equity behind it."""
        account = state.accounts[account_id]
        if account_id < FIRST_ACCOUNT or account_id == self.account_id:
            return None
        state.settle(account)
        held = account.positions.get(leg)
        if held is None or (held.lots > 0) is not self.longs:
            return None
        if scope_of(state, account, leg) in account.liquidating:
            return None
        if not spare_lots(state, account, leg, self.ticks):
            return None
        return leg_score(state, account, leg)

    def state(self) -> dict[str, Any]:
        """For a snapshot."""
        return {
            "account_id": self.account_id,
            "scope": self.scope,
            "leg": self.leg,
            "longs": self.longs,
            "ticks": self.ticks,
            "in_vain": self.in_vain,
            "rank": self.rank,
            "cursor": self._cursor,
            "scores": [(*holding, *each.state()) for holding, each in sorted(self._scores.items())],
            "changed": list(self._changed),
        }

    @classmethod
    def restored(cls, state: dict[str, Any]) -> Deleveraging:
        """The same as `state` gave it."""
        names = ("account_id", "scope", "leg", "longs", "ticks", "in_vain")
        made = cls(**{name: state[name] for name in names})
        made.rank = state["rank"]
        cursor = state["cursor"]
        made._cursor = None if cursor is None else (cursor[0], cursor[1])
        for account_id, leg, numerator, denominator in state["scores"]:
            made._scores[account_id, leg] = Ratio(int(numerator), int(denominator))
        made._heap = [(-each, holding) for holding, each in made._scores.items()]
        heapq.heapify(made._heap)
        made._changed = dict.fromkeys(state["changed"])
        return made


def begin(state: RiskState, account: Account, scope: str, leg: str, ticks: int) -> None:
    """Seek counterparties for all that is left of a position, at its bankruptcy price.

    Ranking everybody is not repeated at every grid point for each scope that waits: where nobody
    of the side could take anything, the same search is not made again for a while.
    """
    left = account.lots(leg)
    longs = left < 0
    symbol = leg.partition("/")[0]
    in_vain = _is_in_vain(state, symbol, longs, ticks)
    state.deleveraging = Deleveraging(account.id, scope, leg, longs, ticks, in_vain)
    state.tallies.give(symbol, abs(left))


def _is_in_vain(state: RiskState, symbol: str, longs: bool, ticks: int) -> bool:
    """Whether a like search found nobody a short while ago."""
    last = state.in_vain.get((symbol, longs))
    mark_e8 = state.mark_e8(symbol)
    if last is None or mark_e8 is None:
        return False
    then_e8, then_ticks, then_ms = last
    is_better = ticks > then_ticks if longs else ticks < then_ticks  # Longs sell at it.
    has_moved = abs(mark_e8 - then_e8) * 1_000 >= MOVED_E3 * then_e8
    is_late = state.time_ms - then_ms >= RETRY_GRID_POINTS * state.venue.grid_ms
    return not (is_better or has_moved or is_late)


def note_outcome(state: RiskState, job: Deleveraging) -> None:
    """A search is over: one that found too few is not repeated at once, the next one may be."""
    key = job.symbol, job.longs
    if not state.accounts[job.account_id].lots(job.leg):
        state.in_vain.pop(key, None)
    elif not job.in_vain:
        state.in_vain[key] = state.mark_e8(job.symbol) or 0, job.ticks, state.time_ms


def break_off(state: RiskState, job: Deleveraging) -> Account:
    """No more counterparties are sought: what is left comes back to whose it is; the account."""
    account = state.accounts[job.account_id]
    state.tallies.give_up(job.symbol, abs(account.lots(job.leg)))
    state.deleveraging = None
    return account


# -- the trades --------------------------------------------------------------------------------


def deleverage(
    state: RiskState, orders: Orders, job: Deleveraging, budget: int
) -> tuple[int, bool]:
    """Rank and trade as far as a budget goes: (work done, whether it is over).

    It is over when nothing is left to give up, or nobody to take it.
    """
    done = 0
    victim = state.accounts[job.account_id]
    while done < budget:
        if not victim.lots(job.leg):
            return done, True
        done += job.look(state, budget - done)
        if job.complete:
            first = job.first()
            if first is None:
                return done + 1, True
            done += 1 + _trade(state, orders, job, first)
    return done, False


def _trade(state: RiskState, orders: Orders, job: Deleveraging, holding: Holding) -> int:
    """One counterparty closes at the bankruptcy price, without book and fee; orders cancelled."""
    victim, other = state.accounts[job.account_id], state.accounts[holding[0]]
    leg = holding[1]
    contract = state.contracts[job.symbol]
    cancelled = orders.cancel_wallet(other, PERP, job.symbol)
    lots = min(abs(victim.lots(job.leg)), spare_lots(state, other, leg, job.ticks))
    assert lots > 0
    job.rank += 1
    reached = job.score_of(holding)
    held = other.positions[leg]
    equity, _ = perp_state(state, other, scope_of(state, other, leg))
    before = (held.lots, held.cost_minor, state.mark_e8(held.symbol) or 0, equity)
    signed = lots if job.longs is False else -lots  # Shorts buy, longs sell.
    given = Move(victim, job.leg, -signed, job.ticks, 0, keep_margin=True, reason=PostingReason.ADL)
    move_position(state, given, 0)
    taken = Move(other, leg, signed, job.ticks, 0, reason=PostingReason.ADL)
    realised, _ = move_position(state, taken, 0)
    state.tallies.take(job.symbol, lots)
    state.tell(
        StepRecord(
            victim.id,
            job.scope,
            job.symbol,
            "adl",
            contract.settle,
            0,
            lots,
            job.ticks,
            bankruptcy_ticks=job.ticks,
            fund_minor=means_minor(state, contract),
        )
    )
    state.tell(
        DeleverRecord(
            other.id,
            job.symbol,
            leg,
            Side.BUY if signed > 0 else Side.SELL,
            lots,
            job.ticks,
            job.rank,
            reached.floor_e12,
            contract.settle,
            realised,
            *before,
        )
    )
    return cancelled


# -- for owners --------------------------------------------------------------------------------


def adl_rank(state: RiskState, account: Account, leg: str) -> int:
    """How near a position is to being deleveraged: 5 for the first fifth of its side, 1 for the
    last. O(holders of its side): for a report, and of what others had settled by then.
    """
    held = account.positions[leg]
    own = leg_score(state, account, leg)
    if own is None:
        return 1
    mine = (-own, (account.id, leg))
    ahead = count = 0
    for holding in state.holders.of(held.symbol, held.lots > 0):
        each = leg_score(state, state.accounts[holding[0]], holding[1])
        if each is not None:
            count += 1
            ahead += (-each, holding) < mine
    return QUANTILES - ahead * QUANTILES // count
