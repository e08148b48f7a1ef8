"""What the channels say: each push as the record of its channel."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from exchange.wire import (
    PRIVATE_CHANNELS,
    BalanceSay,
    BboSay,
    BookDiffSay,
    BookSay,
    CandleSay,
    FillSay,
    FundingSay,
    LedgerSay,
    LoanSay,
    MarginSay,
    MarkSay,
    OrderListSay,
    OrderSay,
    PositionSay,
    TickerSay,
    TradeSay,
)

ACCOUNT_CHANNEL: Final = "account"  # The client's own: where the private events begin.


class Event(msgspec.Struct, frozen=True):
    """What a channel said: `data` is the channel's record of `exchange.wire`.

    `book` says a BookSay (snapshot) first, then BookDiffSay.  The client's own channel `account`
    says an AccountSay before the first private event, and again after a break that was too long
    to resume: the events that follow begin where it ends.  `gap` tells how many messages of a
    public channel were left out before this one, because this connection was too slow.
    """

    channel: str
    seq: int
    time: int
    data: Any
    gap: int = 0


class Notice(MarginSay):
    """What the `margin` channel says: a scope as it stands, and what happened to it.

    `notice` names what happened, such as "margin_call", "interest", "funding" or
    "liquidation_started", and the fields below it tell the numbers; it is empty in a gauge, which
    only tells how things stand and is not numbered.
    """

    notice: str = ""
    symbol: str | None = None
    asset: str | None = None
    amount: str | None = None  # Charged, or (funding) paid if negative.
    add: str | None = None  # Quote to add to come back to the call level.
    rate: str | None = None
    principal: str | None = None
    interest: str | None = None  # Owed after a charge.
    loan: LoanSay | None = None
    mark: str | None = None
    step: str | None = None
    qty: str | None = None
    price: str | None = None
    result: str | None = None  # Of a liquidation: restored, closed or bankrupt.
    covered: str | None = None  # What the insurance fund paid.
    setting: str | None = None
    value: str | None = None
    epoch: int | None = None
    due: int | None = None  # When a charge fell due.
    says: str | None = None  # Of a position that was deleveraged: what happened, in words.
    unrealised: str | None = None


class _Book(BookSay):
    """A snapshot, or with a `first_id` a difference."""

    first_id: int | None = None


_SAID: Final[dict[str, Any]] = {
    "book": _Book,
    "bbo": BboSay,
    "trades": TradeSay,
    "candles": CandleSay,
    "ticker": TickerSay,
    "mark": MarkSay,
    "funding": FundingSay,
    "orders": OrderSay,
    "fills": FillSay,
    "balances": BalanceSay,
    "positions": PositionSay,
    "ledger": LedgerSay,
    "lists": OrderListSay,
    "margin": Notice,
}


def private(channel: str) -> bool:
    """Whether a channel is the account's own."""
    return channel in PRIVATE_CHANNELS


def said(channel: str, data: bytes | msgspec.Raw) -> Any:
    """What was pushed on a channel; a channel without a record of its own says plain objects."""
    say = msgspec.json.decode(data, type=_SAID.get(channel.partition(".")[0], Any))
    if not isinstance(say, _Book):
        return say
    if say.first_id is None:
        return BookSay(say.symbol, say.last_id, say.bids, say.asks)
    return BookDiffSay(say.symbol, say.first_id, say.last_id, say.bids, say.asks)
