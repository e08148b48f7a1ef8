"""Events and views as native messages: pure functions, total over every event there is.

What an event alone does not tell (a margin level, a position at its mark) is asked of `Figures`,
which reads the state the group left behind.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from msgspec import UNSET

from exchange.events import (
    AnyEvent,
    AuctionIndicated,
    AuctionUncrossed,
    BalanceChanged,
    DepthChanged,
    Filled,
    FundCovered,
    FundingFixed,
    IndexPriced,
    InterestFixed,
    LedgerPosted,
    Liquidated,
    LoanWrittenOff,
    Marked,
    OrderChanged,
    OrderListChanged,
    PositionChanged,
    PrivateEvent,
    SymbolStateChanged,
    Traded,
)
from exchange.gateway.native.notices import NOTICES, Figures, Instruments
from exchange.views.orders import (
    POSITION_SIDE_NAMES,
    SIDE_EFFECT_NAMES,
    SIDE_NAMES,
    STATUS_NAMES,
    TIF_NAMES,
    TRIGGER_NAMES,
    TYPE_NAMES,
    average_text,
)
from exchange.views.texts import interest_text, rate_text
from exchange.views.trades import is_synthetic
from exchange.wire import (
    BalanceSay,
    BookDiffSay,
    FillSay,
    FundingSay,
    LedgerSay,
    ListLegSay,
    MarkSay,
    OrderListSay,
    OrderSay,
    PositionSay,
    Say,
    TradeSay,
)
from exchange.wire.stream import ENV, LiquidationSay, StatusSay
from matching.instrument import Instrument, amount_text
from matching.lists import LegStatus
from matching.types import TRIGGER_TYPES, OrderType
from risk.money import MINOR_IN_E18

LEG_STATUS_NAMES: Final = {
    each: "pending_new" if each is LegStatus.PENDING else each.name.lower() for each in LegStatus
}
Said = tuple[str, Say]  # (channel, message)

# The channel of each private event: what a reader must hold to hear of it.
CHANNEL_OF: Final[dict[type, str]] = {
    OrderChanged: "orders",
    OrderListChanged: "lists",
    Filled: "fills",
    BalanceChanged: "balances",
    PositionChanged: "positions",
    LedgerPosted: "ledger",
    **dict.fromkeys(NOTICES, "margin"),
}


def said(event: AnyEvent, instruments: Instruments, figures: Figures) -> Said | None:
    """The message an event becomes and its channel; None for the answer, which is nobody's news."""
    public = _PUBLIC.get(type(event))
    if public is not None:
        return public(event, instruments, figures)
    channel = CHANNEL_OF.get(type(event))
    if channel is None:
        return None
    return (channel, _PRIVATE[type(event)](event, instruments, figures))


def private_say(event: PrivateEvent, instruments: Instruments, figures: Figures) -> Say:
    """The message of a private event; `CHANNEL_OF` has its channel."""
    return _PRIVATE[type(event)](event, instruments, figures)


# -- private events ----------------------------------------------------------------------------


def order_say(event: OrderChanged, instruments: Instruments, _: Figures | None = None) -> OrderSay:
    """An order as an event left it."""
    instrument = instruments[event.symbol]
    lots, filled_lots = event.lots, event.filled_lots
    # Most orders have filled nothing yet, and of those all is open: no quantity is written twice.
    filled = instrument.qty_text(filled_lots)
    asked = instrument.qty_text(lots) if lots else filled
    trigger = instrument.price_text(event.trigger_ticks) if event.trigger_ticks else None
    trails = event.type is OrderType.TRAILING_STOP
    return OrderSay(
        event.order_id,
        event.client_id,
        event.symbol,
        SIDE_NAMES[event.side],
        TYPE_NAMES[event.type],
        TIF_NAMES[event.tif],
        instrument.price_text(event.price_ticks) if event.price_ticks else None,
        asked if lots else None,
        amount_text(event.quote_minor) if event.quote_minor else None,
        filled,
        amount_text(instrument.quote_minor(event.filled_units, filled_lots))
        if filled_lots
        else "0",
        average_text(instrument, event.filled_units, filled_lots, event.filled_minor),
        filled
        if event.prevented_lots == filled_lots
        else instrument.qty_text(event.prevented_lots),
        asked if event.open_lots == lots else instrument.qty_text(event.open_lots),
        STATUS_NAMES[event.status],
        event.wallet,
        event.post_only,
        event.reduce_only,
        SIDE_EFFECT_NAMES[event.side_effect],
        event.forced,
        event.expire_ms or None,
        event.placed_ms,
        event.time_ms,
        event.reason.name if event.reason else None,
        trigger if not trails else None,
        TRIGGER_NAMES[event.trigger] if event.type in TRIGGER_TYPES else None,
        event.close_position,
        event.price_protect,
        event.triggered_ms or None,
        _side_name(instrument, event.position_side),
        event.trailing_bps or None,
        trigger if trails else None,
        instrument.qty_text(event.iceberg_lots) if event.iceberg_lots else None,
        event.list_id or None,
    )


def list_say(
    event: OrderListChanged, instruments: Instruments, _: Figures | None = None
) -> OrderListSay:
    """A list as an event left it."""
    legs = [
        ListLegSay(order_id or None, client_id, LEG_STATUS_NAMES[status])
        for order_id, client_id, status in event.legs
    ]
    return OrderListSay(
        event.list_id,
        event.kind.name.lower(),
        event.symbol,
        event.status.name.lower(),
        event.client_id,
        event.reason.name if event.reason else None,
        event.time_ms,
        legs,
        event.placed_ms,
        event.bracket,
    )


def fill_say(event: Filled, instruments: Instruments, _: Figures | None = None) -> FillSay:
    """One side of a trade; the profit realised is told of perpetuals alone."""
    instrument = instruments[event.symbol]
    return FillSay(
        event.trade_id,
        event.symbol,
        event.order_id,
        event.client_id,
        SIDE_NAMES[event.side],
        instrument.price_text(event.price_ticks),
        instrument.qty_text(event.lots),
        amount_text(instrument.notional_minor(event.price_ticks, event.lots)),
        event.maker,
        amount_text(event.fee_minor),
        event.fee_asset,
        None if instrument.kind == "spot" else amount_text(event.realised_minor),
        event.wallet,
        event.time_ms,
        f"fill/{event.symbol}:{event.trade_id}",
        _side_name(instrument, event.position_side),
        None if instrument.kind == "spot" else instrument.settle,
    )


def _side_name(instrument: Instrument, position_side: int) -> str | None:
    """A perpetual's leg; a spot pair has none."""
    return None if instrument.kind == "spot" else POSITION_SIDE_NAMES[position_side]


def ledger_say(event: LedgerPosted, _: Instruments, __: Figures | None = None) -> LedgerSay:
    """One posting."""
    return LedgerSay(
        event.wallet,
        event.asset,
        amount_text(event.change_minor),
        amount_text(event.balance_minor),
        event.reason,
        event.reference,
        event.time_ms,
    )


def balance_say(event: BalanceChanged, _: Instruments, __: Figures | None = None) -> BalanceSay:
    """A balance; what is owed is shown exactly, to 18 places."""
    owed_e18 = event.borrowed_minor * MINOR_IN_E18 + event.interest_e18
    return BalanceSay(
        event.wallet,
        event.asset,
        amount_text(event.total_minor),
        amount_text(event.total_minor - event.locked_minor),
        amount_text(event.locked_minor),
        amount_text(event.borrowed_minor),
        interest_text(event.interest_e18),
        interest_text(event.total_minor * MINOR_IN_E18 - owed_e18),
    )


def _position_say(event: PositionChanged, _: Instruments, figures: Figures) -> PositionSay:
    return figures.position(event)


# -- public events -----------------------------------------------------------------------------


def trade_say(event: Traded, instrument: Instrument) -> TradeSay:
    """A public trade."""
    return TradeSay(
        event.trade_id,
        event.symbol,
        instrument.price_text(event.price_ticks),
        instrument.qty_text(event.lots),
        SIDE_NAMES[event.taker_side],
        event.time_ms,
        event.forced,
        is_synthetic(event),
    )


def level_texts(instrument: Instrument, levels: list[tuple[int, int]]) -> list[tuple[str, str]]:
    """Levels as [price, qty]; a level that is gone has the quantity "0"."""
    price, qty = instrument.price_text, instrument.qty_text
    return [(price(ticks), qty(lots) if lots else "0") for ticks, lots in levels]


def diff_say(event: DepthChanged, instrument: Instrument) -> BookDiffSay:
    """The levels a command touched."""
    return BookDiffSay(
        event.symbol,
        event.first_id,
        event.last_id,
        level_texts(instrument, event.bids),
        level_texts(instrument, event.asks),
    )


def mark_say(event: Marked, instrument: Instrument, open_lots: int) -> MarkSay:
    """Index, mark and the funding to come of a perpetual; prices to 8 places."""
    return MarkSay(
        event.symbol,
        amount_text(event.index_e8),
        amount_text(event.mark_e8),
        rate_text(event.predicted_rate_e12),
        event.next_funding_ms,
        instrument.qty_text(open_lots),
        event.time_ms,
    )


def index_say(event: IndexPriced) -> MarkSay:
    """The index of a spot pair: it has no mark."""
    return MarkSay(event.symbol, amount_text(event.index_e8), None, None, None, None, event.time_ms)


def funding_say(event: FundingFixed) -> FundingSay:
    """A rate that was fixed; synthetic where no command made it."""
    return FundingSay(
        event.symbol,
        event.due_ms,
        rate_text(event.rate_e12),
        amount_text(event.mark_e8),
        event.seq == 0,
    )


def _traded(event: Traded, instruments: Instruments, _: Figures) -> Said:
    return (f"trades.{event.symbol}", trade_say(event, instruments[event.symbol]))


def _depth_changed(event: DepthChanged, instruments: Instruments, _: Figures) -> Said:
    return (f"book.{event.symbol}", diff_say(event, instruments[event.symbol]))


def _marked(event: Marked, instruments: Instruments, figures: Figures) -> Said:
    open_lots = figures.open_lots(event.symbol)
    return (f"mark.{event.symbol}", mark_say(event, instruments[event.symbol], open_lots))


def _index_priced(event: IndexPriced, _: Instruments, __: Figures) -> Said:
    return (f"mark.{event.symbol}", index_say(event))


def _funding_fixed(event: FundingFixed, _: Instruments, __: Figures) -> Said:
    return (f"funding.{event.symbol}", funding_say(event))


def _interest_fixed(event: InterestFixed, _: Instruments, __: Figures) -> Said:
    rates = {asset: rate_text(rate_e12) for asset, rate_e12 in event.rates_e12.items()}
    return ("status", StatusSay(ENV, "interest_rates", rates=rates, due=event.due_ms))


def _liquidated(event: Liquidated, instruments: Instruments, _: Figures) -> Said:
    instrument = instruments[event.symbol]
    say = LiquidationSay(
        event.symbol,
        SIDE_NAMES[event.side],
        instrument.qty_text(event.lots),
        instrument.price_text(event.price_ticks),
        event.time_ms,
    )
    return ("liquidations", say)


def _state_changed(event: SymbolStateChanged, _: Instruments, __: Figures) -> Said:
    return ("status", StatusSay(ENV, "symbol_state", symbol=event.symbol, state=event.state))


def _auction(
    event: AuctionIndicated | AuctionUncrossed, instruments: Instruments, _: Figures
) -> Said:
    instrument = instruments[event.symbol]
    indicated = isinstance(event, AuctionIndicated)
    say = StatusSay(
        ENV,
        "auction_indicated" if indicated else "auction_uncrossed",
        symbol=event.symbol,
        price=instrument.price_text(event.price_ticks) if event.lots else UNSET,
        qty=instrument.qty_text(event.lots),
        imbalance=instrument.qty_text(event.imbalance_lots),
    )
    return ("status", say)


def _fund_covered(event: FundCovered, _: Instruments, __: Figures) -> Said:
    say = StatusSay(
        ENV,
        "fund_covered",
        fund=event.fund,
        asset=event.asset,
        paid=amount_text(event.paid_minor),
        balance=amount_text(event.balance_minor),
    )
    return ("status", say)


def _written_off(event: LoanWrittenOff, _: Instruments, __: Figures) -> Said:
    say = StatusSay(
        ENV,
        "loan_written_off",
        asset=event.asset,
        lost=amount_text(event.principal_minor),
        balance=amount_text(-event.lost_minor),
    )
    return ("status", say)


_PRIVATE: Final[dict[type, Callable[[Any, Instruments, Figures], Say]]] = {
    OrderChanged: order_say,
    OrderListChanged: list_say,
    Filled: fill_say,
    LedgerPosted: ledger_say,
    BalanceChanged: balance_say,
    PositionChanged: _position_say,
    **NOTICES,
}
_PUBLIC: Final[dict[type, Callable[[Any, Instruments, Figures], Said]]] = {
    Traded: _traded,
    DepthChanged: _depth_changed,
    Marked: _marked,
    IndexPriced: _index_priced,
    FundingFixed: _funding_fixed,
    InterestFixed: _interest_fixed,
    Liquidated: _liquidated,
    SymbolStateChanged: _state_changed,
    FundCovered: _fund_covered,
    LoanWrittenOff: _written_off,
    AuctionIndicated: _auction,
    AuctionUncrossed: _auction,
}
