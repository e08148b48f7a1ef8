# cython: overflowcheck=True
"""The exchange as one pure function: a command in, what happened out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, Final

import msgspec

from exchange.auctioning import change_state, indicate, open_due, uncross
from exchange.because import because
from exchange.bracketing import place_order, refuse_order
from exchange.cancelling import cancel, cancel_all, cancel_list
from exchange.commands import (
    REFUSE_IF_OPEN,
    STOP_ON_FAILURE,
    AdjustPositionMargin,
    AmendOrder,
    AnyCommand,
    Borrow,
    CancelAll,
    CancelOrder,
    CancelReplace,
    Command,
    Continue,
    ConvertDust,
    Deposit,
    FeedPrices,
    OpenAccount,
    PlaceList,
    PlaceOrder,
    Repay,
    ResetAccount,
    SetCountdown,
    SetFeeDiscount,
    SetIndexPrice,
    SetLeverage,
    SetMarginLeverage,
    SetMarginMode,
    SetMultiAsset,
    SetPositionMode,
    SetSymbolState,
    Tick,
    Transfer,
)
from exchange.countdowns import Countdown
from exchange.duplicates import content_hash, remember
from exchange.events import AnyEvent
from exchange.invariants import check_book, check_lists, check_orders, check_triggers
from exchange.keeping import restore_trading, trading_state
from exchange.list_amending import amend_order
from exchange.list_placing import drain_woken, place_list
from exchange.quiet import pass_quiet
from exchange.reducing import trim_moved
from exchange.telling import Teller
from exchange.trading import Placed, Trading
from matching.limits import WORK_PER_COMMAND_MAX
from matching.reasons import Reason
from matching.types import Order, TradingState
from risk import borrowing, settings
from risk.account import POSITION_SIDES, Account, Loan
from risk.dust import convert_dust
from risk.engine import RiskEngine, new_risk_engine
from risk.ledger import FIRST_ACCOUNT, WORLD, PostingReason
from risk.parameters import Venue
from risk.reset import reset_account
from risk.tiers import begin_day
from risk.volumes import day_of

DEPOSIT_MINOR_MAX: Final = 10**17  # A thousand million of an asset at a time,
DEPOSITED_MINOR_MAX: Final = 2**62  # and in all, so that every balance stays within 64 bits.


class Answer(msgspec.Struct, frozen=True, gc=False):
    """How a command ended: refused or done, and the id of what it made."""

    reason: Reason | None = None
    result_id: int = 0
    repeated: bool = False
    details: dict[str, str | int] | None = None  # Besides the numbers of its reason.


DONE: Final = Answer()


class Engine:
    """All state of a venue; the same commands always leave the same state and the same events."""

    def __init__(self, venue: Venue, risk: RiskEngine | None = None) -> None:
        self.venue = venue
        self.risk = risk or new_risk_engine(venue)
        self._teller = Teller(self.risk)
        self.trading = Trading(self.risk, self._teller)
        self.books = self.trading.books
        self.instruments = self.risk.instruments
        self.last_trade = self.trading.last_trade
        self.paranoid = False  # Whether every invariant is asserted behind every command.
        self.seq = 0
        self.time_ms = venue.start_ms
        self.next_grid_ms = (venue.start_ms // venue.grid_ms + 1) * venue.grid_ms
        self._told = 0, 0  # Events there were before a grid point, and the command.
        self.priced = False  # Whether that point has its prices, and waits for what they woke.
        self._handlers: dict[type, Callable[[Any], Answer]] = {
            Tick: lambda _: DONE,
            Continue: lambda _: DONE,
            OpenAccount: self._open_account,
            Deposit: self._deposit,
            Transfer: self._transfer,
            PlaceOrder: self._place,
            PlaceList: self._place_list,
            CancelOrder: self._cancel,
            CancelAll: self._cancel_all,
            CancelReplace: self._cancel_replace,
            SetCountdown: self._set_countdown,
            AmendOrder: self._amend,
            Borrow: self._borrow,
            Repay: self._repay,
            SetLeverage: self._set_leverage,
            SetMarginMode: self._set_margin_mode,
            SetMarginLeverage: self._set_margin_leverage,
            SetPositionMode: self._set_position_mode,
            SetMultiAsset: self._set_multi_asset,
            AdjustPositionMargin: self._adjust_position_margin,
            ResetAccount: self._reset,
            SetFeeDiscount: self._set_fee_discount,
            ConvertDust: self._convert_dust,
            FeedPrices: self._feed_prices,
            SetIndexPrice: self._set_index_price,
            SetSymbolState: self._set_symbol_state,
        }

    def apply(self, command: AnyCommand) -> list[AnyEvent]:
        """Do what a stamped command asks; every event of it, the answer last.

        Time comes first: grid points up to the command's stamp are run before it, as many as one
        command may; the rest stays pending for `Continue`.
        """
        assert command.seq == self.seq + 1, (command.seq, self.seq)
        assert command.time_ms >= self.time_ms, "time never runs back"
        risk, trading, teller = self.risk, self.trading, self._teller
        self.seq, self.time_ms = command.seq, command.time_ms
        teller.begin(command.seq, command.time_ms)
        self._advance(WORK_PER_COMMAND_MAX)
        risk.time_ms = command.time_ms
        risk.refused = None
        answer = self._obey(command)
        trim_moved(trading)
        if (trading.fired or trading.lists.due) and not trading.opening:
            drain_woken(trading, WORK_PER_COMMAND_MAX)
        trading.tell_depth()
        numbers = because(trading, command, answer.reason) if answer.reason else {}
        if answer.details is not None:
            numbers = numbers | answer.details
        asker_id = getattr(command, "account_id", 0)
        events = teller.answer(answer.reason, answer.result_id, numbers, answer.repeated, asker_id)
        if self.paranoid:
            self.check()
        return events

    # -- time ----------------------------------------------------------------------------------

    @property
    def pending_work(self) -> bool:
        """Whether work remains that is due at or before the last stamp."""
        due = self.next_grid_ms <= self.time_ms or self.risk.pending_work
        trading = self.trading
        return due or bool(trading.fired or trading.lists.due) or trading.opening

    def _advance(self, budget: int) -> None:
        """Run the grid points that are due, each with all its work, within a budget."""
        while budget > 0:
            if self.trading.opening:
                budget -= uncross(self.trading, budget)
            elif self.trading.fired or self.trading.lists.due:
                budget -= drain_woken(self.trading, budget)
            elif self.priced:
                self._finish_grid_point()
                budget -= 1
            elif self.risk.pending_work:
                budget -= max(1, self.risk.work(self.trading, budget))
                self._look_behind()
            elif self.next_grid_ms <= self.time_ms:
                if not open_due(self.trading, self.next_grid_ms):
                    self._begin_grid_point()
                budget -= 1
            else:
                return

    def _begin_grid_point(self) -> None:
        """Expiry, samples, index, mark; the orders that the marks wake are next (A6)."""
        now_ms = self.next_grid_ms
        self._told = self.seq, len(self._teller.events)
        self.risk.time_ms = now_ms
        self.trading.expire_due(now_ms, WORK_PER_COMMAND_MAX)
        indicate(self.trading)
        self.risk.price(self.books, self.last_trade, now_ms)
        self._teller.drain()
        self.trading.look_at_marks()
        self.priced = True

    def _finish_grid_point(self) -> None:
        """Behind the orders that woke: funding, interest; the scan follows in slices."""
        self.risk.fall_due(self.trading, self.next_grid_ms)
        self.next_grid_ms += self.venue.grid_ms
        self.priced = False
        self._look_behind()
        if self._told == (self.seq, len(self._teller.events)):
            pass_quiet(self)

    def _look_behind(self) -> None:
        """The risk engine moved positions: tell of it, and cut the orders left too large."""
        self._teller.drain()
        trim_moved(self.trading)

    # -- commands ------------------------------------------------------------------------------

    def _obey(self, command: Command) -> Answer:
        """Dispatch; an account settles what is pending before anything reads or touches it."""
        account_id = getattr(command, "account_id", None)
        if account_id is None:
            return self._handlers[type(command)](command)
        account = self.risk.accounts.get(account_id)
        if account is None or account.id < FIRST_ACCOUNT:
            return Answer(Reason.UNKNOWN_ACCOUNT)
        self.risk.settle(account)
        # It trades by the tiers of its own day, though a grid point may have work left.
        begin_day(self.risk, day_of(self.time_ms))
        client_id: str = getattr(command, "client_id", "")
        content = b""
        if client_id and not isinstance(command, CancelOrder):
            known = self._known(account, command, client_id)
            if isinstance(known, Answer):
                return known
            content = known
        answer = self._handlers[type(command)](command)
        if answer.reason is None and content:
            remember(account, client_id, content, answer.result_id)
        return answer

    def _known(self, account: Account, command: Command, client_id: str) -> Answer | bytes:
        """The first result of a client id that was used before; else the hash of its content."""
        if getattr(command, "on_duplicate", 0) == REFUSE_IF_OPEN:
            if client_id in account.client_orders:
                return Answer(Reason.DUPLICATE_ID)
            return b""
        content = content_hash(command)
        first = account.recent.get(client_id)
        if first is None:
            return content
        if first[0] != content:
            return Answer(Reason.DUPLICATE_ID)
        return Answer(None, first[1], repeated=True)

    def _account(self, command: Any) -> Account:
        return self.risk.accounts[command.account_id]

    def _open_account(self, wish: OpenAccount) -> Answer:
        if wish.kind == "agent" and wish.label in self.risk.labels:
            return Answer(None, self.risk.labels[wish.label], repeated=True)
        return Answer(None, self.risk.open_account(wish.kind, wish.label).id)

    def _deposit(self, wish: Deposit) -> Answer:
        account = self._account(wish)
        reason = borrowing.wallet_holds(self.risk, account, wish.wallet, wish.asset)
        if reason is not None:
            return Answer(reason)
        if wish.amount_minor <= 0:
            return Answer(Reason.AMOUNT_NOT_POSITIVE)
        if wish.amount_minor > DEPOSIT_MINOR_MAX:
            return Answer(Reason.AMOUNT_TOO_LARGE)
        given_minor = -self.risk.ledger.house(WORLD, wish.asset).minor
        if given_minor + wish.amount_minor > DEPOSITED_MINOR_MAX:
            return Answer(Reason.FAUCET_LIMIT)
        self.risk.deposit(
            account, wish.wallet, wish.asset, wish.amount_minor, PostingReason.DEPOSIT
        )
        return DONE

    def _transfer(self, wish: Transfer) -> Answer:
        what = (wish.source, wish.target, wish.asset, wish.amount_minor)
        return Answer(borrowing.transfer(self.risk, self._account(wish), *what))

    def _borrow(self, wish: Borrow) -> Answer:
        loan = borrowing.borrow(
            self.risk, self._account(wish), wish.wallet, wish.asset, wish.amount_minor
        )
        return Answer(loan) if isinstance(loan, Reason) else Answer(None, loan.loan_id)

    def _repay(self, wish: Repay) -> Answer:
        account = self._account(wish)
        loan: Loan | None = account.loans.get((wish.wallet, wish.asset))
        if wish.wallet in account.liquidating:
            return Answer(Reason.ACCOUNT_LIQUIDATING)
        if loan is None:
            return Answer(Reason.NOTHING_OWED)
        amount = min(wish.amount_minor or loan.owed_minor, loan.owed_minor)
        if account.free(wish.wallet, wish.asset) < amount:
            return Answer(Reason.INSUFFICIENT_BALANCE)
        borrowing.repay(self.risk, account, wish.wallet, wish.asset, amount)
        return Answer(None, loan.loan_id)

    # -- orders --------------------------------------------------------------------------------

    def _place(self, wish: PlaceOrder) -> Answer:
        account = self._account(wish)
        if wish.symbol not in self.instruments:
            return Answer(Reason.UNKNOWN_SYMBOL)
        if wish.position_side not in POSITION_SIDES:
            return Answer(Reason.FIELD_OUT_OF_RANGE)
        busy = self.trading.make_ready(wish.symbol)
        if busy is not None:
            return Answer(busy)
        if not wish.leverage or self.instruments[wish.symbol].kind == "spot":
            return _answer(place_order(self.trading, account, wish))
        with settings.supposed_leverage(self.risk, account, wish.symbol, wish.leverage) as unfit:
            reason = unfit or refuse_order(self.trading, account, wish)
        if reason is not None:  # A refusal changes nothing, the leverage included.
            return Answer(reason)
        settings.set_leverage(self.risk, account, wish.symbol, wish.leverage)
        return _answer(place_order(self.trading, account, wish))

    def _place_list(self, wish: PlaceList) -> Answer:
        return _numbered(place_list(self.trading, self._account(wish), wish))

    def _cancel(self, wish: CancelOrder) -> Answer:
        if wish.list_id:
            return _numbered(cancel_list(self.trading, self._account(wish), wish.list_id))
        ended = cancel(self.trading, self._account(wish), wish.order_id, wish.client_id)
        return Answer(ended) if isinstance(ended, Reason) else Answer(None, ended.order_id)

    def _cancel_all(self, wish: CancelAll) -> Answer:
        return _numbered(cancel_all(self.trading, self._account(wish), wish))

    def _cancel_replace(self, wish: CancelReplace) -> Answer:
        """The answer is the new order's; where nothing was cancelled, its details say why."""
        place = wish.place
        assert place.account_id == wish.account_id, "nobody places for another"
        if place.symbol not in self.instruments:
            return Answer(Reason.UNKNOWN_SYMBOL)
        busy = self.trading.make_ready(place.symbol)
        if busy is not None:
            return Answer(busy)
        account = self._account(wish)
        ended = cancel(self.trading, account, wish.order_id, wish.cancel_client_id)
        if isinstance(ended, Order):
            return self._place(place)
        told: dict[str, str | int] = {"cancel_refused": ended.name}
        if wish.mode == STOP_ON_FAILURE:
            return Answer(Reason.CANCEL_REPLACE_STOPPED, details=told)
        return msgspec.structs.replace(self._place(place), details=told)

    def _set_countdown(self, wish: SetCountdown) -> Answer:
        if wish.symbol and wish.symbol not in self.instruments:
            return Answer(Reason.UNKNOWN_SYMBOL)
        self.trading.countdowns.set(Countdown(wish.countdown_ms, wish.account_id, wish.symbol))
        return DONE

    def _amend(self, wish: AmendOrder) -> Answer:
        account = self._account(wish)
        order = account.orders.get(wish.order_id)
        busy = self.trading.make_ready(order.symbol) if order else None
        if busy is not None:
            return Answer(busy)
        if order is None or not order.is_open:
            return Answer(Reason.UNKNOWN_ORDER)
        return _answer(amend_order(self.trading, account, order, wish))

    # -- settings ------------------------------------------------------------------------------

    def _set_leverage(self, wish: SetLeverage) -> Answer:
        account = self._account(wish)
        return Answer(settings.set_leverage(self.risk, account, wish.symbol, wish.leverage))

    def _set_margin_mode(self, wish: SetMarginMode) -> Answer:
        account = self._account(wish)
        return Answer(settings.set_margin_mode(self.risk, account, wish.symbol, wish.isolated))

    def _set_margin_leverage(self, wish: SetMarginLeverage) -> Answer:
        return Answer(settings.set_margin_leverage(self.risk, self._account(wish), wish.leverage))

    def _set_position_mode(self, wish: SetPositionMode) -> Answer:
        return Answer(settings.set_position_mode(self.risk, self._account(wish), wish.hedge))

    def _set_multi_asset(self, wish: SetMultiAsset) -> Answer:
        return Answer(settings.set_multi_asset(self.risk, self._account(wish), wish.on))

    def _adjust_position_margin(self, wish: AdjustPositionMargin) -> Answer:
        if wish.position_side not in POSITION_SIDES:
            return Answer(Reason.FIELD_OUT_OF_RANGE)
        account = self._account(wish)
        return Answer(
            settings.adjust_position_margin(
                self.risk, account, wish.symbol, wish.amount_minor, wish.position_side
            )
        )

    def _set_fee_discount(self, wish: SetFeeDiscount) -> Answer:
        return Answer(settings.set_fee_discount(self.risk, self._account(wish), wish.on))

    def _convert_dust(self, wish: ConvertDust) -> Answer:
        return Answer(convert_dust(self.risk, self._account(wish), wish.wallet, wish.assets))

    def _reset(self, wish: ResetAccount) -> Answer:
        reset_account(self.risk, self.trading, self._account(wish))
        return DONE

    # -- the venue -----------------------------------------------------------------------------

    def _feed_prices(self, wish: FeedPrices) -> Answer:
        """A feed's prices count as fresh until `stale_ms` after this moment."""
        if wish.feed not in self.venue.feeds:
            return Answer(Reason.UNKNOWN_SYMBOL)
        fresh_ms = self.time_ms + max(0, wish.stale_ms - self.venue.stale_ms)
        for base, price_e8 in wish.prices_e8.items():
            index = self.risk.indexes.get(f"{base}-{self.venue.quote}")
            if index is not None and 0 < price_e8 <= index.price_max_e8:
                index.print(wish.feed, price_e8, fresh_ms)
        return DONE

    def _set_index_price(self, wish: SetIndexPrice) -> Answer:
        """An administrator's price moves index and mark within its own command."""
        symbol = f"{wish.base}-{wish.quote}"
        index = self.risk.indexes.get(symbol)
        if index is None:
            return Answer(Reason.UNKNOWN_SYMBOL)
        if wish.price_e8 <= 0:
            return Answer(Reason.AMOUNT_NOT_POSITIVE)
        if wish.price_e8 > index.price_max_e8:
            return Answer(Reason.PRICE_OUT_OF_RANGE)
        index.override(wish.price_e8, self.time_ms)
        for perp in self.risk.marks.values():
            if perp.index_symbol == symbol:
                perp.clear_samples()
        self.risk.reprice(self.books, self.last_trade, self.time_ms)
        self.trading.look_at_marks()
        self._advance(WORK_PER_COMMAND_MAX)
        return DONE

    def _set_symbol_state(self, wish: SetSymbolState) -> Answer:
        if wish.symbol not in self.instruments:
            return Answer(Reason.UNKNOWN_SYMBOL)
        if wish.state.upper() not in TradingState.__members__:
            return Answer(Reason.FIELD_OUT_OF_RANGE)
        reason = change_state(self.trading, wish.symbol, TradingState[wish.state.upper()])
        self._advance(WORK_PER_COMMAND_MAX)
        return Answer(reason)

    # -- snapshots and invariants --------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Everything, as plain values: what a snapshot holds and the digest is made of."""
        return {
            "seq": self.seq,
            "time_ms": self.time_ms,
            "next_grid_ms": self.next_grid_ms,
            "priced": self.priced,
            "risk": self.risk.state(),
            **trading_state(self.trading),
        }

    @classmethod
    def restored(cls, venue: Venue, state: dict[str, Any]) -> Engine:
        """The engine of which `state` was taken."""
        risk = RiskEngine(venue)
        risk.restore(state["risk"])
        engine = cls(venue, risk)
        engine.seq = state["seq"]
        engine.time_ms = state["time_ms"]
        engine.next_grid_ms = state["next_grid_ms"]
        engine.priced = state["priced"]
        restore_trading(engine.trading, state)
        return engine

    def digest(self) -> str:
        """A fingerprint of the whole state: equal digests, equal states."""
        encoded = msgspec.msgpack.encode(self.state())
        return hashlib.blake2b(encoded, digest_size=16).hexdigest()

    def check(self) -> None:
        """Assert every invariant that state can show (docs/audit.md); O(accounts + orders)."""
        self.risk.check()
        for symbol, book in self.books.items():
            check_book(book, self.instruments[symbol], self.risk.accounts)
            check_triggers(self.trading, symbol)
        for account in self.risk.accounts.values():
            check_orders(account, self.books)
        check_lists(self.trading)


def _numbered(result: int | Reason) -> Answer:
    return Answer(result) if isinstance(result, Reason) else Answer(None, result)


def _answer(placed: Placed | Reason) -> Answer:
    if isinstance(placed, Reason):
        return Answer(placed)
    return Answer(placed.reason, placed.order.order_id)
