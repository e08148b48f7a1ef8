# cython: overflowcheck=True
"""Making events: what the book and the risk engine did, told in order and numbered."""

from __future__ import annotations

from typing import Any, Final

from msgspec import structs

from exchange.events import (
    AccountOpened,
    Answered,
    AnyEvent,
    BalanceChanged,
    CollateralConverted,
    Deleveraged,
    Event,
    FeeTierChanged,
    Filled,
    FundCovered,
    FundingCharged,
    FundingFixed,
    IndexPriced,
    InterestCharged,
    InterestFixed,
    LedgerPosted,
    LiquidationEnded,
    LiquidationStarted,
    LiquidationStepped,
    LoanChanged,
    LoanWrittenOff,
    MarginCalled,
    Marked,
    OrderChanged,
    PositionChanged,
    SettingChanged,
)
from matching.reasons import Reason
from matching.types import Fill, Order
from risk import records
from risk.account import PERP, position_wallet, side_of
from risk.ledger import FIRST_ACCOUNT, Pocket, PostingReason
from risk.position import symbol_of
from risk.records import Booked
from risk.state import RiskState

_POSTED: Final = {reason: reason.value for reason in PostingReason}
_PRIVATE: Final[dict[type, type[Event]]] = {
    records.AccountRecord: AccountOpened,
    records.LoanRecord: LoanChanged,
    records.InterestRecord: InterestCharged,
    records.FundingRecord: FundingCharged,
    records.CallRecord: MarginCalled,
    records.LiquidationRecord: LiquidationStarted,
    records.StepRecord: LiquidationStepped,
    records.EndRecord: LiquidationEnded,
    records.DeleverRecord: Deleveraged,
    records.SettingRecord: SettingChanged,
    records.FeeTierRecord: FeeTierChanged,
    records.ConversionRecord: CollateralConverted,
}
_PUBLIC: Final[dict[type, type[Event]]] = {
    records.MarkRecord: Marked,
    records.IndexRecord: IndexPriced,
    records.FundingRateRecord: FundingFixed,
    records.RatesRecord: InterestFixed,
    records.CoverRecord: FundCovered,
    records.BadDebtRecord: LoanWrittenOff,
}


class Teller:
    """Collects the events of one command."""

    __slots__ = ("_risk", "events", "seq", "time_ms")

    def __init__(self, risk: RiskState) -> None:
        self._risk = risk
        self.events: list[AnyEvent] = []
        self.seq = 0
        self.time_ms = 0

    def begin(self, seq: int, time_ms: int) -> None:
        """Start on a command."""
        self.events = []
        self.seq = seq
        self.time_ms = time_ms

    def tell(self, event: AnyEvent) -> None:
        """Add a public event that is made already."""
        self.events.append(event)

    def number(self, account_id: int) -> int:
        """The number of an account's next event."""
        account = self._risk.accounts[account_id]
        account.event_n += 1
        return account.event_n

    def order(self, order: Order, happening: str) -> None:
        """An order as it stands now. The house's own orders are nobody's news.

        The fields stand in the event's order and without their names, which costs a third less.
        """
        if order.account_id < FIRST_ACCOUNT:
            return
        account = self._risk.accounts[order.account_id]
        account.event_n += 1
        units = order.quote_units
        self.events.append(
            OrderChanged(
                self.seq,
                self.time_ms,
                account.id,
                account.event_n,
                happening,
                order.order_id,
                order.symbol,
                order.side,
                order.type,
                order.tif,
                order.price_ticks,
                order.lots,
                units and units * self._risk.instruments[order.symbol].unit_minor,
                order.filled_lots,
                order.filled_units,
                order.prevented_lots,
                order.open_lots,
                order.status,
                order.wallet,
                order.post_only,
                order.reduce_only,
                order.side_effect,
                order.forced,
                order.expire_ms,
                order.time_ms,
                order.client_id,
                order.reason,
                order.trigger_ticks,
                order.trigger,
                order.close_position,
                order.price_protect,
                order.triggered_ms,
                side_of(order.leg),
                order.filled_minor,
                order.trailing_bps,
                order.iceberg_lots,
                order.list_id,
                order.stp,
            )
        )

    def amended(self, order_id: int, before: tuple[int, int, int], since: int) -> None:
        """Of the events from place `since` on, the first of an order also tells what its owner
        changed it from: the order's id, ticks and lots until then."""
        for at in range(since, len(self.events)):
            event = self.events[at]
            if isinstance(event, OrderChanged) and event.order_id == order_id:
                self.events[at] = structs.replace(event, before=before)
                return

    def filled(self, fill: Fill, order: Order, booked: Booked, trade_id: int) -> None:
        """One side of a trade, for its owner."""
        if order.account_id < FIRST_ACCOUNT:
            return
        self.events.append(
            Filled(
                self.seq,
                self.time_ms,
                order.account_id,
                self.number(order.account_id),
                trade_id,
                order.symbol,
                order.order_id,
                order.client_id,
                order.side,
                fill.price_ticks,
                fill.lots,
                order is fill.maker and not fill.auction,
                booked.fee_minor,
                booked.fee_asset,
                booked.realised_minor,
                order.wallet,
                booked.rate_e12,
                booked.lots_before,
                booked.cost_before_minor,
                booked.margin_before_minor,
                booked.margin_after_minor,
                booked.leverage,
                booked.discount_e12,
                booked.price_e8,
                booked.paid_e8,
                side_of(order.leg),
            )
        )

    def drain(self) -> None:
        """Tell what the risk engine noted since the last time, in its order."""
        risk = self._risk
        if risk.records:
            for record in risk.records:
                self._record(record)
            risk.records.clear()
        postings = risk.ledger.postings
        if postings:
            seq, time_ms, accounts = self.seq, self.time_ms, risk.accounts
            for owner, wallet, asset, change, balance, reason, reference in postings:
                account = accounts[owner]
                account.event_n += 1
                text = _POSTED[reason]
                self.events.append(
                    LedgerPosted(
                        seq,
                        time_ms,
                        owner,
                        account.event_n,
                        wallet,
                        asset,
                        change,
                        balance,
                        text,
                        reference,
                    )
                )
            postings.clear()

    def _record(self, record: records.Record) -> None:
        fields: tuple[Any, ...] = tuple(record)
        private = _PRIVATE.get(type(record))
        if private is None:
            made: Any = _PUBLIC[type(record)](self.seq, self.time_ms, *fields)
        elif fields[0] < FIRST_ACCOUNT:
            return
        else:
            number = self.number(fields[0])
            build: Any = private
            made = build(self.seq, self.time_ms, fields[0], number, *fields[1:])
        self.events.append(made)

    def balances(self) -> None:
        """Tell the balances and positions that the command left different, once each."""
        risk = self._risk
        touched, positions = risk.ledger.touched, risk.positions_touched
        for pocket in touched:
            if pocket.owner < FIRST_ACCOUNT:
                continue
            if "/" in pocket.wallet:
                positions[pocket.owner, pocket.wallet.removeprefix(PERP + "/")] = None
            else:
                self._balance(pocket)
        touched.clear()
        if positions:
            for account_id, leg in positions:
                if account_id >= FIRST_ACCOUNT:
                    self._position(account_id, leg)
            positions.clear()

    def _balance(self, pocket: Pocket) -> None:
        account = self._risk.accounts[pocket.owner]
        account.event_n += 1
        loan = account.loans.get((pocket.wallet, pocket.asset)) if account.loans else None
        self.events.append(
            BalanceChanged(
                self.seq,
                self.time_ms,
                pocket.owner,
                account.event_n,
                pocket.wallet,
                pocket.asset,
                pocket.minor,
                pocket.locked,
                loan.principal_minor if loan else 0,
                loan.interest_e18 if loan else 0,
            )
        )

    def _position(self, account_id: int, leg: str) -> None:
        account = self._risk.accounts[account_id]
        symbol = symbol_of(leg)
        held = account.positions.get(leg)
        setting = account.setting(symbol)
        settle = self._risk.instruments[symbol].settle
        self.events.append(
            PositionChanged(
                self.seq,
                self.time_ms,
                account_id,
                self.number(account_id),
                symbol,
                held.lots if held else 0,
                held.cost_minor if held else 0,
                setting.isolated,
                setting.leverage,
                account.minor(position_wallet(leg), settle),
                side_of(leg),
            )
        )

    def answer(
        self,
        reason: Reason | None,
        result_id: int = 0,
        details: dict[str, str | int] | None = None,
        repeated: bool = False,
        asker_id: int = 0,
    ) -> list[AnyEvent]:
        """End the command: everything that happened, and the answer last."""
        self.drain()
        self.balances()
        self.events.append(
            Answered(self.seq, self.time_ms, reason, result_id, details or {}, repeated, asker_id)
        )
        return self.events
