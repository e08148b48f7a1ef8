"""The auditor: all money of the venue against what came in, and every invariant, while it trades.

It keeps what each account adds to the sums (`risk.invariants`). Behind every group it puts in order
the parts of those accounts that were told something, so the sums are always those of the last
command. Meanwhile it goes round: a few accounts a turn are looked at from scratch, orders, holds
and margin included, and a book. What no event explains is as much a fault as a sum that is off.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple

from exchange.config import Audit as AuditConfig
from exchange.engine import Engine
from exchange.events import AnyEvent, Traded
from exchange.invariants import check_book, check_orders, check_triggers
from exchange.sequencer import Listener
from matching.invariants import INVARIANTS, InvariantBroken, hold
from risk.account import PERP
from risk.invariants import (
    BALANCE,
    COST,
    INTEREST,
    LOCKED,
    LONG,
    LOTS,
    PRINCIPAL,
    Part,
    Sums,
    check_account,
    check_contracts,
    check_funds,
    check_in_transit,
    check_money,
    check_pools,
    check_rounding,
    part_of,
)
from risk.ledger import FIRST_ACCOUNT, HOUSE_NAMES, INSURANCE, SOCIALIZED_LOSS
from risk.parameters import check_brackets
from risk.scan import check_overlooked

TURN_EVERY_S: Final = 0.25
ACCOUNTS_PER_TURN_MAX: Final = 200  # Some milliseconds' worth; with more, a round takes longer.
VIOLATIONS_KEPT_MAX: Final = 100

# Which invariant it breaks that an account has something no event told of.
_OF_PART: Final = {
    BALANCE: "I1",
    LOCKED: "I5",
    LOTS: "I3",
    LONG: "I3",
    COST: "I3",
    PRINCIPAL: "I2",
    INTEREST: "I2",
}
_BY_SUMS: Final = ("I1", "I2", "I3", "I4", "I10")
_BY_ACCOUNTS: Final = ("I5", "I8", "I9")
_BY_BOOKS: Final = ("I6", "I7", "I11", "I12")
_FAULTS: Final = (AssertionError, ArithmeticError, AttributeError, LookupError, TypeError)

log = logging.getLogger(__name__)


class Violation(NamedTuple):
    """An invariant that was found broken behind a command."""

    invariant: str
    says: str
    found_at_seq: int


class Audit(NamedTuple):
    """What was found at a command; amounts in minor units."""

    ok: bool
    checked_at_seq: int
    assets: dict[str, dict[str, int]]  # Per asset: every kind of owner, and their `sum`, zero.
    violations: list[Violation]
    checked: dict[str, int]  # By invariant: the command behind which it was last checked whole.
    deficits: dict[str, int]  # Funds below zero, and bad debt, by name.
    pending_instants: int  # Of funding and interest that somebody has yet to settle.


class Auditor:
    """Audits an engine that others drive; it reads, and changes nothing.

    `on_group` belongs into the sequencer's listeners. Where an invariant is found broken it is
    logged, once, and stays among the violations: such a fault does not heal.
    """

    def __init__(self, engine: Engine, interval_s: float = 30.0) -> None:
        self.violations: dict[tuple[str, str], Violation] = {}
        self.found = 0  # Violations ever found, also those not kept.
        self.rounds = 0  # Times every account was looked at.
        self._engine = engine
        self._interval_s = interval_s
        self._parts: dict[int, Part] = {}
        self._sums = Sums()
        # Nobody is told of what befalls the house: its accounts are read at every turn.
        self._house = [each for each in engine.risk.accounts if each < FIRST_ACCOUNT]
        self._told: dict[int, None] = {}  # Accounts whose parts may have changed.
        self._next_id = 0
        self._next_book = 0
        self._checked: dict[str, int] = {}
        self._seq = engine.seq
        self._time_ms = engine.time_ms
        self._trade_ids = dict(engine.trading.trade_ids)

    # -- what happened -------------------------------------------------------------------------

    def on_group(self, groups: Sequence[list[AnyEvent]]) -> None:
        """Note who was told something, and that numbers and time run on. O(events)."""
        told = self._told
        for events in groups:
            for event in events:
                if type(event) in _PRIVATE:
                    told[event.account_id] = None  # type: ignore[union-attr]
                elif type(event) is Traded:
                    self._look("I7", event.symbol, self._check_trade, event)
            self._look("I13", "time", self._check_time, events[-1])
        self._checked["I13"] = self._seq

    def _check_trade(self, trade: Traded) -> None:
        """I7: trade ids are contiguous, and each trade is between two orders."""
        last, self._trade_ids[trade.symbol] = self._trade_ids[trade.symbol], trade.trade_id
        hold(
            "I7",
            trade.trade_id == last + 1,
            trade.symbol,
            "trade {} after {}",
            trade.trade_id,
            last,
        )
        hold("I7", trade.maker_order_id != trade.taker_order_id, trade.symbol, trade)

    def _check_time(self, answer: AnyEvent) -> None:
        """I13: commands are numbered without a gap, and time never runs back."""
        before, self._seq, self._time_ms = (self._seq, self._time_ms), answer.seq, answer.time_ms
        runs_on = answer.seq == before[0] + 1 and answer.time_ms >= before[1]
        hold("I13", runs_on, "time", "{} after {}", (answer.seq, answer.time_ms), before)

    # -- turns ---------------------------------------------------------------------------------

    async def run(self) -> None:
        """Go round for ever, every account and book once an interval where that can be had."""
        while True:
            await asyncio.sleep(TURN_EVERY_S)
            risk = self._engine.risk
            share = TURN_EVERY_S / self._interval_s
            self.turn(
                accounts=min(ACCOUNTS_PER_TURN_MAX, 1 + int(len(risk.accounts) * share)),
                books=1 + int(len(self._engine.books) * share),
            )

    def begin(self) -> Auditor:
        """Read everybody, once, where the engine stands now. O(accounts)."""
        engine = self._engine
        self._seq, self._time_ms = engine.seq, engine.time_ms
        self._trade_ids = dict(engine.trading.trade_ids)
        self._told.clear()
        for account_id in engine.risk.accounts:
            self._put(account_id)
        self._check_sums()
        return self

    def whole(self) -> None:
        """A whole round at once, and what only looking at everybody can show. O(all there is)."""
        self._next_id = self._next_book = 0
        risk = self._engine.risk
        self.turn(accounts=risk.next_account_id, books=len(self._engine.books))
        self._look("I4", "in transit", check_in_transit, risk)
        self._look("I1", "ledger", risk.ledger.check)

    def turn(self, accounts: int, books: int) -> None:
        """Look at the next so many accounts and books, and at the sums."""
        self._catch_up()
        for _ in range(accounts):
            self._next_account()
        for _ in range(books):
            self._look_at_book()
        self._check_sums()

    def _catch_up(self) -> None:
        """Put the parts in order that commands may have changed."""
        for account_id in (*self._told, *self._house):
            self._put(account_id)
        self._told.clear()

    def _put(self, account_id: int) -> None:
        account = self._engine.risk.accounts.get(account_id)
        if account is None:
            return
        old = self._parts.get(account_id)
        if old is not None:
            self._sums.add(old, -1)
        part = self._parts[account_id] = part_of(account)
        self._sums.add(part)

    def _next_account(self) -> None:
        """The account behind the last one; behind the newest a round is over."""
        risk = self._engine.risk
        account_id = self._next_id
        if account_id >= risk.next_account_id:
            self._next_id = 0
            return
        self._next_id = account_id + 1 if account_id >= FIRST_ACCOUNT else FIRST_ACCOUNT
        ids = [account_id] if account_id >= FIRST_ACCOUNT else self._house
        for each in ids:
            if each in risk.accounts:
                self._look_at_account(each)
        if self._next_id >= risk.next_account_id:
            self.rounds += 1
            self._mark(_BY_ACCOUNTS)

    def _look_at_account(self, account_id: int) -> None:
        """From scratch: its part, holds, orders and margin."""
        engine = self._engine
        account = engine.risk.accounts[account_id]
        self._compare(account_id, self._parts.get(account_id, {}), part_of(account))
        self._look("I5", account_id, check_account, engine.risk, account)
        self._look("I9", account_id, check_overlooked, engine.risk, account)
        self._look("I7", account_id, check_orders, account, engine.books)

    def _compare(self, account_id: int, known: Part, found: Part) -> None:
        """What an account has is what it had behind the last event that named it."""
        if known == found:
            return
        for what, which in sorted(known.keys() | found.keys()):
            was, now = known.get((what, which), 0), found.get((what, which), 0)
            if was != now:
                subject = f"account {account_id}: {what} of {which}"
                says = f"{now}, was {was}, and no event told of it"
                self._note(InvariantBroken(_OF_PART[what], subject, says))
        self._put(account_id)

    def _look_at_book(self) -> None:
        engine = self._engine
        symbols = list(engine.books)
        symbol = symbols[self._next_book % len(symbols)]
        self._next_book = (self._next_book + 1) % len(symbols)
        book, instrument = engine.books[symbol], engine.instruments[symbol]
        self._look("I6", symbol, check_book, book, instrument, engine.risk.accounts)
        self._look("I12", symbol, check_triggers, engine.trading, symbol)
        perp = engine.risk.perps.get(symbol)
        if perp is not None:
            self._look("I11", symbol, check_brackets, perp.brackets)
        if not self._next_book:
            self._mark(_BY_BOOKS)

    def _check_sums(self) -> None:
        risk, sums = self._engine.risk, self._sums
        self._look("I1", "all assets", check_money, risk, sums)
        self._look("I2", "all pools", check_pools, risk, sums)
        self._look("I3", "all contracts", check_contracts, risk, sums)
        self._look("I4", "rounding", check_rounding, risk)
        self._look("I10", "funds", check_funds, risk)
        self._mark(_BY_SUMS)

    # -- what was found ------------------------------------------------------------------------

    def _look(
        self, invariant: str, subject: object, check: Callable[..., None], *given: Any
    ) -> None:
        """Run a check; what it finds is noted, and what it stumbles over as well."""
        try:
            check(*given)
        except InvariantBroken as broken:
            self._note(broken)
        except _FAULTS as fault:
            self._note(InvariantBroken(invariant, subject, str(fault) or repr(fault)))

    def _note(self, broken: InvariantBroken) -> None:
        key = (broken.invariant, broken.subject)
        if key in self.violations:
            return
        self.found += 1
        if len(self.violations) < VIOLATIONS_KEPT_MAX:
            self.violations[key] = Violation(broken.invariant, broken.says, self._engine.seq)
            log.error("behind seq %d an invariant is broken: %s", self._engine.seq, broken)

    def _mark(self, invariants: Iterable[str]) -> None:
        for invariant in invariants:
            self._checked[invariant] = self._engine.seq

    @property
    def ok(self) -> bool:
        """Whether nothing was ever found."""
        return not self.violations

    def look(self) -> Audit:
        """What is known behind the last command, its sums included.

        O(accounts told something since the last turn + the house's pockets).
        """
        self._catch_up()
        self._check_sums()
        risk = self._engine.risk
        assets = risk.ledger.house_totals()
        for asset in (*assets, *self._sums.names(BALANCE)):
            owners = assets.setdefault(asset, {})
            owners["users"] = self._sums.get(BALANCE, asset)
            owners["sum"] = sum(minor for name, minor in owners.items() if name != "sum")
        return Audit(
            self.ok,
            self._engine.seq,
            assets,
            list(self.violations.values()),
            {name: self._checked[name] for name in INVARIANTS if name in self._checked},
            deficits(self._engine),
            len(risk.instants.pending),
        )


def auditing(engine: Engine, config: AuditConfig, listeners: list[Listener]) -> Auditor:
    """The auditor of an engine, begun, among those who are told of its commands; its paranoia."""
    engine.paranoid = config.paranoid
    auditor = Auditor(engine, config.interval_s).begin()
    listeners.append(auditor.on_group)
    return auditor


def audit(engine: Engine) -> Audit:
    """Everything there is to find where an engine stands. O(accounts + orders)."""
    auditor = Auditor(engine).begin()
    auditor.whole()
    return auditor.look()


def deficits(engine: Engine) -> dict[str, int]:
    """What is missing in the open: a fund below zero, losses made everybody's, loans unpaid."""
    risk = engine.risk
    found: dict[str, int] = {}
    for owner in (INSURANCE, SOCIALIZED_LOSS):
        for (wallet, asset), pocket in risk.accounts[owner].pockets.items():
            if wallet.startswith(PERP) and pocket.minor < 0:
                found[f"{HOUSE_NAMES[owner]}:{asset}"] = pocket.minor
    for asset, minor in sorted(risk.bad_debt.items()):
        if minor:
            found[f"bad_debt:{asset}"] = -minor
    return found


def _private_events() -> frozenset[type]:
    kinds: tuple[Any, ...] = AnyEvent.__args__
    return frozenset(kind for kind in kinds if "account_id" in kind.__struct_fields__)


_PRIVATE: Final = _private_events()
