"""What of the events goes into the history, and as which rows.

Customers' orders, fills, postings, loans, charges and liquidations are kept; those of house
agents would drown them and are not. Trades and funding rates are everybody's. A candle is kept
when it is over, as the board has it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, Protocol

from exchange.bounds import CANDLES_KEPT
from exchange.events import (
    Answered,
    AnyEvent,
    Deleveraged,
    Filled,
    FundingCharged,
    FundingFixed,
    InterestCharged,
    LedgerPosted,
    LiquidationEnded,
    LiquidationStarted,
    LiquidationStepped,
    LoanChanged,
    MarginCalled,
    OrderChanged,
    OrderListChanged,
    Traded,
)
from exchange.history_details import (
    ADL_DETAIL,
    CALL_DETAIL,
    FILL_DETAIL,
    FUNDING_DETAIL,
    STARTED_DETAIL,
    STEPPED_DETAIL,
    detail_of,
)
from exchange.storage.rows import (
    AmendmentRow,
    CallRow,
    CandleRow,
    DeleverRow,
    FillRow,
    FundingPaymentRow,
    FundingRow,
    InterestRow,
    LedgerRow,
    LiquidationRow,
    LoanRow,
    OrderListRow,
    OrderRow,
    RejectRow,
    TradeRow,
)
from exchange.views.board import Board
from exchange.views.candles import Candle
from exchange.wire import INTERVALS_MS
from matching.lists import ListStatus
from matching.reasons import Reason
from matching.types import OPEN_STATUSES

NamedRow = tuple[str, tuple[Any, ...]]  # The table, and the row.


class Rows(Protocol):
    """What takes the rows; `exchange.storage.history.History` does."""

    def submit(self, seq: int, rows: Sequence[NamedRow]) -> None:
        """Queue all rows of the commands up to `seq`."""


class HistoryRows:
    """Folds groups into rows; `on_group` belongs behind the board's in the listeners.

    `time_ms` is the moment the board stands at: candles that were over by then are kept already.
    """

    def __init__(
        self, history: Rows, board: Board, is_user: Callable[[int], bool], time_ms: int
    ) -> None:
        self._history = history
        self._board = board
        self._is_user = is_user
        self._users: dict[int, bool] = {}
        # By interval, where the first candle opens that is not kept yet.
        self._open_ms = {name: time_ms - time_ms % ms for name, ms in INTERVALS_MS.items()}
        self._due_ms = min(self._open_ms[name] + ms for name, ms in INTERVALS_MS.items())

    def on_group(self, groups: Sequence[list[AnyEvent]]) -> None:
        """Queue the rows of an applied group: a list of events for each command."""
        if not groups:
            return
        rows: list[NamedRow] = []
        for events in groups:
            for event in events:
                made = _PRIVATE.get(type(event))
                if made is not None:
                    if self._of_user(event):
                        rows.append(made(event))
                        if isinstance(event, OrderChanged) and event.before is not None:
                            rows.append(_amendment(event, event.before))
                    continue
                made = _PUBLIC.get(type(event))
                if made is not None:
                    rows.append(made(event))
            answer = events[-1]
            if isinstance(answer, Answered) and answer.reason and self._is_asker(answer):
                rows.append(_reject(answer))
        last = groups[-1][-1]
        if last.time_ms >= self._due_ms:
            rows += self._candles_over(last.time_ms)
        self._history.submit(last.seq, rows)

    def _is_asker(self, answer: Answered) -> bool:
        """Whether a customer asked; an account that does not exist asks nothing."""
        known = answer.asker_id and answer.reason is not Reason.UNKNOWN_ACCOUNT
        return bool(known) and self._is_users(answer.asker_id)

    def _of_user(self, event: Any) -> bool:
        return self._is_users(event.account_id)

    def _is_users(self, account_id: int) -> bool:
        found = self._users.get(account_id)
        if found is None:
            found = self._users[account_id] = self._is_user(account_id)
        return found

    def _candles_over(self, now_ms: int) -> Iterator[NamedRow]:
        """The candles that were not over when it was last asked, and are by now."""
        kinds = {"last": self._board.candles, **self._board.price_candles}
        for interval, step_ms in INTERVALS_MS.items():
            open_ms = now_ms - now_ms % step_ms
            if open_ms == self._open_ms[interval]:
                continue
            for kind, candles in kinds.items():
                for symbol in candles.symbols:
                    for candle in candles.get(
                        symbol, interval, self._open_ms[interval], open_ms - 1, CANDLES_KEPT
                    ):
                        yield candle_row(symbol, step_ms, candle, kind)
            self._open_ms[interval] = open_ms
        self._due_ms = min(self._open_ms[name] + ms for name, ms in INTERVALS_MS.items())


def candle_row(symbol: str, interval_ms: int, candle: Candle, kind: str = "last") -> NamedRow:
    """A candle of trades, or of another kind of price."""
    row = CandleRow(
        symbol=symbol,
        interval_ms=interval_ms,
        open_ms=candle.open_ms,
        open=candle.open,
        high=candle.high,
        low=candle.low,
        close=candle.close,
        lots=candle.lots,
        units=candle.units,
        trades=candle.trades,
        taker_lots=candle.taker_lots,
        taker_units=candle.taker_units,
        synthetic=candle.synthetic,
        kind=kind,
    )
    return "candles", row


def _order(event: OrderChanged) -> NamedRow:
    # By place, in the order of the columns, as in the two below: by name it takes three times as
    # long. Most rows are of orders; past the class's own function it takes half of that again.
    values = (
        event.order_id,
        event.account_id,
        event.symbol,
        event.side,
        event.type,
        event.price_ticks,
        event.lots,
        event.filled_lots,
        event.filled_units,
        event.status,
        event.client_id,
        event.placed_ms,
        event.time_ms,
        event.reason.name if event.reason else None,
        event.wallet,
        event.status in OPEN_STATUSES,
        event.tif,
        event.quote_minor,
        event.prevented_lots,
        event.post_only,
        event.reduce_only,
        event.side_effect,
        event.forced,
        event.expire_ms,
        event.seq,
        "",
        event.trigger_ticks,
        event.trigger,
        event.close_position,
        event.price_protect,
        event.triggered_ms,
        event.position_side,
        event.filled_minor,
        event.trailing_bps,
        event.iceberg_lots,
        event.list_id,
        event.stp,
    )
    return "orders", tuple.__new__(OrderRow, values)


def _amendment(event: OrderChanged, before: tuple[int, int, int]) -> NamedRow:
    before_id, before_ticks, before_lots = before
    row = AmendmentRow(
        account_id=event.account_id,
        n=event.n,
        symbol=event.symbol,
        order_id=event.order_id,
        before_id=before_id,
        before_ticks=before_ticks,
        ticks=event.price_ticks,
        before_lots=before_lots,
        lots=event.lots,
        time_ms=event.time_ms,
        seq=event.seq,
    )
    return "amendments", row


def _order_list(event: OrderListChanged) -> NamedRow:
    row = OrderListRow(
        list_id=event.list_id,
        account_id=event.account_id,
        symbol=event.symbol,
        kind=event.kind,
        status=event.status,
        client_id=event.client_id,
        time_ms=event.placed_ms,
        updated_ms=event.time_ms,
        reason=event.reason.name if event.reason else None,
        legs=json.dumps(event.legs, separators=(",", ":")),
        is_open=event.status is ListStatus.EXECUTING,
        bracket=event.bracket,
        seq=event.seq,
    )
    return "order_lists", row


def _fill(event: Filled) -> NamedRow:
    row = FillRow(
        event.trade_id,
        event.symbol,
        event.account_id,
        event.order_id,
        event.side,
        event.price_ticks,
        event.lots,
        event.fee_minor,
        event.fee_asset,
        event.maker,
        event.realised_minor,
        event.time_ms,
        event.wallet,
        event.client_id,
        event.n,
        event.seq,
        detail_of(event, FILL_DETAIL),
        event.position_side,
    )
    return "fills", row


def _posting(event: LedgerPosted) -> NamedRow:
    row = LedgerRow(
        event.account_id,
        event.n,
        event.wallet,
        event.asset,
        event.change_minor,
        event.balance_minor,
        event.reason,
        event.reference,
        event.time_ms,
        event.seq,
    )
    return "ledger", row


def _loan(event: LoanChanged) -> NamedRow:
    row = LoanRow(
        account_id=event.account_id,
        n=event.n,
        loan_id=event.loan_id,
        wallet=event.wallet,
        asset=event.asset,
        borrowed_minor=event.borrowed_minor,
        repaid_principal_minor=event.repaid_principal_minor,
        repaid_interest_minor=event.repaid_interest_minor,
        principal_minor=event.principal_minor,
        interest_e18=event.interest_e18,
        time_ms=event.time_ms,
        seq=event.seq,
    )
    return "loans", row


def _interest(event: InterestCharged) -> NamedRow:
    row = InterestRow(
        account_id=event.account_id,
        n=event.n,
        wallet=event.wallet,
        asset=event.asset,
        time_ms=event.due_ms,
        principal_minor=event.principal_minor,
        rate_e12=event.rate_e12,
        interest_e18=event.charged_e18,
        owed_e18=event.interest_e18,
        seq=event.seq,
    )
    return "interest", row


def _funding_payment(event: FundingCharged) -> NamedRow:
    row = FundingPaymentRow(
        account_id=event.account_id,
        n=event.n,
        symbol=event.symbol,
        lots=event.lots,
        mark_e8=event.mark_e8,
        rate_e12=event.rate_e12,
        flow_minor=event.flow_minor,
        time_ms=event.due_ms,
        seq=event.seq,
    )
    return "funding_payments", row


def _liquidation(
    event: LiquidationStarted | LiquidationStepped | LiquidationEnded, step: str
) -> LiquidationRow:
    """A step of which nothing more is known than that it was made."""
    return LiquidationRow(
        account_id=event.account_id,
        n=event.n,
        scope=event.scope,
        symbol="",
        step=step,
        asset="",
        amount_minor=0,
        lots=0,
        price_ticks=0,
        level_e12=0,
        mark_e8=0,
        time_ms=event.time_ms,
        seq=event.seq,
    )


def _liquidation_started(event: LiquidationStarted) -> NamedRow:
    row = _liquidation(event, "started")
    return "liquidations", row._replace(
        symbol=event.symbol,
        level_e12=event.level_e12,
        mark_e8=event.mark_e8,
        detail=detail_of(event, STARTED_DETAIL),
    )


def _liquidation_stepped(event: LiquidationStepped) -> NamedRow:
    row = _liquidation(event, event.step)
    return "liquidations", row._replace(
        symbol=event.symbol,
        asset=event.asset,
        amount_minor=event.amount_minor,
        lots=event.lots,
        price_ticks=event.price_ticks,
        detail=detail_of(event, STEPPED_DETAIL) if event.rate_e12 else "",
    )


def _liquidation_ended(event: LiquidationEnded) -> NamedRow:
    row = _liquidation(event, event.result)
    return "liquidations", row._replace(amount_minor=event.covered_minor)


def _trade(event: Traded) -> NamedRow:
    row = TradeRow(
        symbol=event.symbol,
        trade_id=event.trade_id,
        price_ticks=event.price_ticks,
        lots=event.lots,
        taker_side=event.taker_side,
        maker_order_id=event.maker_order_id,
        taker_order_id=event.taker_order_id,
        time_ms=event.time_ms,
        forced=event.forced,
        seq=event.seq,
    )
    return "trades", row


def _funding(event: FundingFixed) -> NamedRow:
    row = FundingRow(event.symbol, event.due_ms, event.rate_e12, event.mark_e8)
    return "funding", row._replace(detail=detail_of(event, FUNDING_DETAIL))


def _call(event: MarginCalled) -> NamedRow:
    row = CallRow(
        account_id=event.account_id,
        n=event.n,
        scope=event.scope,
        level_e12=event.level_e12,
        call_level_e12=event.call_level_e12,
        add_minor=event.add_minor,
        cleared=event.cleared,
        time_ms=event.time_ms,
        seq=event.seq,
        detail=detail_of(event, CALL_DETAIL),
    )
    return "calls", row


def _deleverage(event: Deleveraged) -> NamedRow:
    row = DeleverRow(
        account_id=event.account_id,
        n=event.n,
        symbol=event.symbol,
        time_ms=event.time_ms,
        seq=event.seq,
        detail=detail_of(event, ADL_DETAIL),
    )
    return "deleverages", row


def _reject(event: Answered) -> NamedRow:
    assert event.reason is not None
    row = RejectRow(
        account_id=event.asker_id,
        seq=event.seq,
        time_ms=event.time_ms,
        reason=event.reason.name,
        detail=json.dumps(event.details) if event.details else "",
    )
    return "rejects", row


Fold = Callable[[Any], NamedRow]

_PRIVATE: Final[dict[type, Fold]] = {
    OrderChanged: _order,
    OrderListChanged: _order_list,
    Filled: _fill,
    LedgerPosted: _posting,
    LoanChanged: _loan,
    InterestCharged: _interest,
    FundingCharged: _funding_payment,
    LiquidationStarted: _liquidation_started,
    LiquidationStepped: _liquidation_stepped,
    LiquidationEnded: _liquidation_ended,
    MarginCalled: _call,
    Deleveraged: _deleverage,
}
_PUBLIC: Final[dict[type, Fold]] = {Traded: _trade, FundingFixed: _funding}
