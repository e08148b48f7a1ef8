# cython: overflowcheck=True
"""The risk engine as the exchange calls it: accounts, time, snapshots and the invariants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from matching.book import Book
from matching.invariants import hold
from risk.account import PERP, Account
from risk.adl import Deleveraging
from risk.grid import fall_due, refresh, sample, sweep
from risk.house_loans import unwind_loans
from risk.invariants import check_account, check_in_transit, check_sums, whole_sums
from risk.ledger import (
    INSURANCE,
    LIQUIDATION,
    MARGIN_INSURANCE,
    POOL,
    WORLD,
    Pocket,
    PostingReason,
)
from risk.liquidation import Road, restart, resume
from risk.money import kept
from risk.parameters import Venue
from risk.ratio import Ratio
from risk.records import AccountRecord
from risk.scan import check_overlooked, find_fallen, liquidate_fallen, run_rounds
from risk.state import RiskState
from risk.tallies import Flow
from risk.tiers import begin_day, is_day_due, tell_tiers
from risk.unwinding import unwind_conversions, unwind_positions
from risk.volumes import day_of

# By asset, each kept under its name; the sums over accounts may pass 64 bits.
SUMS: Final = ("bad_debt", "interest_paid", "interest_due", "rates_e12", "rounded_e18")


class RiskEngine(RiskState):
    """All money of the venue and everything that can befall it."""

    __slots__ = ()

    def found(self) -> None:
        """Give funds and pools their capital; once, at the venue's first moment."""
        venue = self.venue
        for grant in venue.coin_insurance:
            self._endow(
                self.pocket(self.accounts[INSURANCE], grant.wallet, grant.asset), grant.amount_minor
            )
        self._endow(self.pocket(self.accounts[INSURANCE], PERP, venue.quote), venue.insurance_minor)
        self._endow(self.ledger.house(MARGIN_INSURANCE, venue.quote), venue.margin_insurance_minor)
        for each in venue.assets:
            self.ledger.post(
                self.ledger.house(WORLD, each.asset),
                self.ledger.house(POOL, each.asset),
                each.pool_capital_minor,
                PostingReason.DEPOSIT,
            )

    def _endow(self, fund: Pocket, minor: int) -> None:
        world = self.ledger.house(WORLD, fund.asset)
        self.ledger.post(world, fund, minor, PostingReason.DEPOSIT)
        self.tallies.note(fund, Flow.CAPITAL, minor)

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

    # -- time ----------------------------------------------------------------------------------

    def price(
        self,
        books: Mapping[str, Book],
        last_trade: Mapping[str, tuple[int, int]],
        now_ms: int,
    ) -> None:
        """The first half of a grid point: samples, index, mark."""
        self.time_ms = now_ms
        if now_ms % self.venue.sample_ms == 0:
            sample(self, books)
        refresh(self, books, last_trade, now_ms)

    def fall_due(self, road: Road, now_ms: int) -> None:
        """Its second half, behind the orders that its marks woke: funding and interest; the scan
        follows in slices (`work`)."""
        self.time_ms = now_ms
        fall_due(self, now_ms)
        if now_ms % self.venue.sample_ms == 0:
            unwind_positions(self, road)
            unwind_loans(self, road)
            unwind_conversions(self, road)
        self.watch.gather()
        self.jobs, self.jobs_later = self.jobs_later, self.jobs
        self.jobs.update(self.jobs_later)
        self.jobs_later.clear()
        self.fee_day.due = day_of(now_ms)

    def reprice(
        self,
        books: Mapping[str, Book],
        last_trade: Mapping[str, tuple[int, int]],
        now_ms: int,
    ) -> None:
        """Index and mark at once, off the grid: an administrator's price."""
        refresh(self, books, last_trade, now_ms)
        restart(self)
        self.watch.gather()

    @property
    def pending_work(self) -> bool:
        """Whether settlements, checks or liquidation rounds remain of the last grid point."""
        return self._scanning or is_day_due(self)

    @property
    def _scanning(self) -> bool:
        return bool(
            self.instants.pending or self.watch.due or self.fallen or self.deleveraging or self.jobs
        )

    @property
    def is_still(self) -> bool:
        """Whether nothing remains, of the last grid point or for the next."""
        return not (self.pending_work or self.jobs_later or self.watch.touched)

    def work(self, road: Road, budget: int) -> int:
        """One slice: settle everybody first, then scan all, then liquidate, the worst first (V81),
        and last of all the day roll.

        A liquidation that seeks its counterparties is gone on with before anything else is looked
        at, so that however the work is cut the outcome is the same.
        """
        done = sweep(self, budget)
        if done and not self.instants.unsettled:
            self.watch.gather()  # Whoever settled is scanned for the same instant (V81).
        if not self.instants.unsettled and done < budget:
            done += resume(self, road, budget - done)
            for part in (find_fallen, liquidate_fallen, run_rounds):
                if done < budget and self.deleveraging is None:
                    done += part(self, road, budget - done)
        if not self._scanning and done < budget:
            begin_day(self, self.fee_day.due)
            done += tell_tiers(self, budget - done)
        return done

    # -- snapshots -----------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Everything but the orders, which the books keep, as plain lists."""
        return {
            "time_ms": self.time_ms,
            "ledger": self.ledger.state(),
            "tallies": self.tallies.state(),
            "accounts": [account.state() for _, account in sorted(self.accounts.items())],
            "next_account_id": self.next_account_id,
            "next_loan_id": self.next_loan_id,
            "instants": self.instants.state(),
            "watch": self.watch.state(),
            "fallen": [
                (*ratio.state(), account_id, scope) for ratio, account_id, scope in self.fallen
            ],
            "deleveraging": self.deleveraging and self.deleveraging.state(),
            "in_vain": [(*key, *search) for key, search in sorted(self.in_vain.items())],
            "fee_day": self.fee_day.state(),
            "jobs": list(self.jobs),
            "jobs_later": list(self.jobs_later),
            "waiting": list(self.waiting),
            **{
                name: [
                    (asset, kept(amount)) for asset, amount in sorted(getattr(self, name).items())
                ]
                for name in SUMS
            },
            "indexes": [(symbol, index.state()) for symbol, index in self.indexes.items()],
            "marks": [(symbol, perp.state()) for symbol, perp in self.marks.items()],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take back what `state` gave, into a new engine."""
        self.time_ms = state["time_ms"]
        self.ledger.restore(state["ledger"])
        self.tallies.restore(state["tallies"])
        for each in state["accounts"]:
            account = Account.restored(each)
            self.accounts[account.id] = account
            if account.kind == "agent":
                self.labels[account.label] = account.id
            self.note_exposure(account)
            for leg in account.positions:
                self.holders.note(account, leg)
            if account.volumes.matter:
                self.fee_day.traders.add(account.id)
        for owner, wallet, asset, _, _ in state["ledger"]:
            if owner in self.accounts:
                self.pocket(self.accounts[owner], wallet, asset)
        self.next_account_id = state["next_account_id"]
        self.next_loan_id = state["next_loan_id"]
        self.instants.restore(state["instants"])
        self.watch.restore(state["watch"])
        self.fee_day.restore(state["fee_day"])
        self._restore_liquidations(state)
        for name in SUMS:
            getattr(self, name).update({asset: int(amount) for asset, amount in state[name]})
        for symbol, index in state["indexes"]:
            self.indexes[symbol].restore(index)
        for symbol, perp in state["marks"]:
            self.marks[symbol].restore(perp)

    def _restore_liquidations(self, state: dict[str, Any]) -> None:
        for numerator, denominator, account_id, scope in state["fallen"]:
            self.fallen.add((Ratio(int(numerator), int(denominator)), account_id, scope))
        if state["deleveraging"] is not None:
            self.deleveraging = Deleveraging.restored(state["deleveraging"])
        for symbol, longs, mark_e8, ticks, time_ms in state["in_vain"]:
            self.in_vain[symbol, longs] = mark_e8, ticks, time_ms
        for name in ("jobs", "jobs_later", "waiting"):
            getattr(self, name).update({(scope[0], scope[1]): None for scope in state[name]})

    # -- invariants ----------------------------------------------------------------------------

    def check(self) -> None:
        """Assert I1-I5 and I8-I10, and what is derived; O(accounts + orders)."""
        self.ledger.check()
        self.watch.check()
        self.holders.check(self.accounts)
        check_sums(self, whole_sums(self))
        check_in_transit(self)
        for account in self.accounts.values():
            check_account(self, account)
            check_overlooked(self, account)
        strangers = set(self.instants.exposed) - self.accounts.keys()
        hold("I4", not strangers, "instants", strangers)
        traders = {account.id for account in self.accounts.values() if account.volumes.matter}
        assert traders == set(self.fee_day.traders), (traders, self.fee_day.traders)


def new_risk_engine(venue: Venue) -> RiskEngine:
    """A risk engine at the venue's first moment, its funds and pools filled."""
    risk = RiskEngine(venue)
    risk.found()
    assert LIQUIDATION in risk.accounts
    return risk
