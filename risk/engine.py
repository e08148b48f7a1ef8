"""The risk engine as the exchange calls it: accounts, time, snapshots and the invariants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matching.book import Book
from matching.types import Order
from risk.account import PERP, Account, OpenOrders
from risk.grid import fall_due, refresh, sample, sweep
from risk.ledger import (
    CLEARING,
    FIRST_ACCOUNT,
    INSURANCE,
    LIQUIDATION,
    MARGIN_INSURANCE,
    POOL,
    WORLD,
    PostingReason,
)
from risk.liquidation import Road, unwind_positions
from risk.margin_liquidation import unwind_loans
from risk.parameters import Venue
from risk.records import AccountRecord
from risk.reserve_spot import resting_need
from risk.scan import run_rounds, scan
from risk.settle_contract import count_resting
from risk.state import RiskState


class RiskEngine(RiskState):
    """All money of the venue and everything that can befall it."""

    def found(self) -> None:
        """Give funds and pools their capital; once, at the venue's first moment."""
        venue = self.venue
        fund = self.pocket(self.accounts[INSURANCE], PERP, venue.quote)
        world = self.ledger.house(WORLD, venue.quote)
        self.ledger.post(world, fund, venue.insurance_minor, PostingReason.DEPOSIT)
        self.ledger.post(
            world,
            self.ledger.house(MARGIN_INSURANCE, venue.quote),
            venue.margin_insurance_minor,
            PostingReason.DEPOSIT,
        )
        for each in venue.assets:
            self.ledger.post(
                self.ledger.house(WORLD, each.asset),
                self.ledger.house(POOL, each.asset),
                each.pool_capital_minor,
                PostingReason.DEPOSIT,
            )

    def open_account(self, kind: str, label: str) -> Account:
        """Open an account and give it what every new one gets; agents are funded explicitly."""
        account = Account(self.next_account_id, kind, label)
        self.next_account_id += 1
        account.settled = self.instants.last
        self.accounts[account.id] = account
        if kind == "agent":
            self.labels[label] = account.id
        self.tell(AccountRecord(account.id, kind, label, account.epoch))
        if kind == "user":
            self.grant(account, PostingReason.DEPOSIT)
        return account

    def count_order(self, account: Account, order: Order) -> None:
        """A restored order's part in its account's sums."""
        count_resting(self, account, order)

    # -- time ----------------------------------------------------------------------------------

    def grid_point(
        self,
        road: Road,
        books: Mapping[str, Book],
        last_trade: Mapping[str, tuple[int, int]],
        now_ms: int,
    ) -> None:
        """Samples, index, mark, funding, interest; the scan follows in slices (`work`)."""
        self.time_ms = now_ms
        sampling = now_ms % self.venue.sample_ms == 0
        if sampling:
            sample(self, books)
        refresh(self, books, last_trade, now_ms)
        fall_due(self, now_ms)
        if sampling:
            unwind_positions(self, road)
            unwind_loans(self, road)
        self.watch.gather()
        self.jobs, self.jobs_later = self.jobs_later, self.jobs
        self.jobs.update(self.jobs_later)
        self.jobs_later.clear()

    def reprice(
        self,
        books: Mapping[str, Book],
        last_trade: Mapping[str, tuple[int, int]],
        now_ms: int,
    ) -> None:
        """Index and mark at once, off the grid: an administrator's price."""
        refresh(self, books, last_trade, now_ms)
        self.watch.gather()

    @property
    def pending_work(self) -> bool:
        """Whether settlements, checks or liquidation rounds remain of the last grid point."""
        return bool(self.instants.unsettled or self.watch.due or self.jobs)

    def work(self, road: Road, budget: int) -> int:
        """One slice: settle everybody first, then scan, then liquidation rounds (V81)."""
        done = sweep(self, budget)
        if done and not self.instants.unsettled:
            self.watch.gather()  # Whoever settled is scanned for the same instant (V81).
        if not self.instants.unsettled and done < budget:
            done += scan(self, road, budget - done)
        if not self.instants.unsettled and not self.watch.due and done < budget:
            done += run_rounds(self, road, budget - done)
        return done

    # -- snapshots -----------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Everything but the orders, which the books keep, as plain lists."""
        return {
            "time_ms": self.time_ms,
            "ledger": self.ledger.state(),
            "accounts": [account.state() for _, account in sorted(self.accounts.items())],
            "next_account_id": self.next_account_id,
            "next_loan_id": self.next_loan_id,
            "instants": self.instants.state(),
            "watch": self.watch.state(),
            "jobs": list(self.jobs),
            "jobs_later": list(self.jobs_later),
            "waiting": list(self.waiting),
            "bad_debt": sorted(self.bad_debt.items()),
            "interest_paid": sorted(self.interest_paid.items()),
            "rounded_e18": sorted(self.rounded_e18.items()),
            "indexes": [(symbol, index.state()) for symbol, index in self.indexes.items()],
            "marks": [(symbol, perp.state()) for symbol, perp in self.marks.items()],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take back what `state` gave, into a new engine."""
        self.time_ms = state["time_ms"]
        self.ledger.restore(state["ledger"])
        for each in state["accounts"]:
            account = Account.restored(each)
            self.accounts[account.id] = account
            if account.kind == "agent":
                self.labels[account.label] = account.id
            self.note_exposure(account)
        for owner, wallet, asset, _, _ in state["ledger"]:
            if owner in self.accounts:
                self.pocket(self.accounts[owner], wallet, asset)
        self.next_account_id = state["next_account_id"]
        self.next_loan_id = state["next_loan_id"]
        self.instants.restore(state["instants"])
        self.watch.restore(state["watch"])
        for name in ("jobs", "jobs_later", "waiting"):
            getattr(self, name).update({(scope[0], scope[1]): None for scope in state[name]})
        for name in ("bad_debt", "interest_paid", "rounded_e18"):
            getattr(self, name).update({asset: amount for asset, amount in state[name]})
        for symbol, index in state["indexes"]:
            self.indexes[symbol].restore(index)
        for symbol, perp in state["marks"]:
            self.marks[symbol].restore(perp)

    # -- invariants ----------------------------------------------------------------------------

    def check(self) -> None:
        """Assert the invariants of money (I1-I5) and of what is derived from orders."""
        self.ledger.check()
        self.watch.check()
        self._check_contracts()
        self._check_pools()
        exposed = {account.id for account in self.accounts.values() if account.exposed}
        assert exposed == set(self.instants.exposed), (exposed, self.instants.exposed)
        for account in self.accounts.values():
            self._check_account(account)

    def _check_contracts(self) -> None:
        """I3: sizes sum to zero, and costs to what was realised so far."""
        for symbol in self.perps:
            lots = cost = 0
            for account in self.accounts.values():
                held = account.positions.get(symbol)
                if held is not None:
                    assert held.lots, (account.id, symbol)
                    lots += held.lots
                    cost += held.cost_minor
            assert lots == 0, (symbol, lots)
            settle = self.instruments[symbol].settle
            clearing = self.ledger.house(CLEARING, settle, symbol)
            assert cost == -clearing.minor, (symbol, cost, clearing)

    def _check_pools(self) -> None:
        """I2: pool cash and principal are capital, interest received, less bad debt."""
        principal: dict[str, int] = {}
        for account in self.accounts.values():
            for loan in account.loans.values():
                assert loan.principal_minor >= 0, (account.id, loan.asset)
                assert loan.interest_e18 >= 0, (account.id, loan.asset)
                principal[loan.asset] = principal.get(loan.asset, 0) + loan.principal_minor
        for asset, parameters in self.assets.items():
            cash = self.ledger.house(POOL, asset).minor
            assert cash + principal.get(asset, 0) == (
                parameters.pool_capital_minor
                + self.interest_paid.get(asset, 0)
                - self.bad_debt.get(asset, 0)
            ), asset

    def _check_account(self, account: Account) -> None:
        """I5: holds are those of the open orders, nothing is below zero that may not be."""
        locked: dict[tuple[str, str], int] = {}
        sums: dict[str, OpenOrders] = {}
        for order in account.orders.values():
            self._count(order, locked, sums)
        for key, pocket in account.pockets.items():
            assert pocket.locked == locked.get(key, 0), (account.id, pocket, locked.get(key))
            may_owe = key[0].startswith(PERP) or account.id < FIRST_ACCOUNT
            assert pocket.minor >= 0 or may_owe, pocket
        mine = {symbol: each.values() for symbol, each in account.open_perp.items()}
        assert mine == {symbol: each.values() for symbol, each in sums.items()}, account.id
        assert account.settled <= self.instants.last

    def _count(
        self, order: Order, locked: dict[tuple[str, str], int], sums: dict[str, OpenOrders]
    ) -> None:
        if order.wallet == PERP:
            if not order.reduce_only:
                each = sums.setdefault(order.symbol, OpenOrders())
                each.add(order.side, order.open_lots, order.price_ticks)
                each.held_minor += order.hold_minor
            return
        asset, need = resting_need(self, order)
        assert order.hold_minor == need, (order, order.hold_minor, need)
        key = (order.wallet, asset)
        locked[key] = locked.get(key, 0) + order.hold_minor


def new_risk_engine(venue: Venue) -> RiskEngine:
    """A risk engine at the venue's first moment, its funds and pools filled."""
    risk = RiskEngine(venue)
    risk.found()
    assert LIQUIDATION in risk.accounts
    return risk
