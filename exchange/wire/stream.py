"""What the streams say beside the records of `exchange.wire`: notices, status, gaps, replies."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from exchange.wire.frames import Push
from exchange.wire.says import LoanSay, MarginSay, Say

ENV = "paper"


class NoticeSay(MarginSay):
    """A numbered message of the `margin` channel: the scope as it stands, and what happened.

    `notice` is "margin_call", "margin_call_cleared", "liquidation_started", "liquidation_step",
    "liquidation_ended", "loan", "interest", "funding", "setting", "account_opened",
    "account_reset", "fee_tier" or "deleveraged"; the fields below it belong to some of these only.
    A message of this channel without a `notice` is a gauge: its `seq` is 0, and nothing of it is
    kept.
    """

    notice: str = ""
    symbol: str | UnsetType = UNSET
    asset: str | UnsetType = UNSET
    add: str | UnsetType = UNSET  # Quote to add to come back to the call level.
    mark: str | UnsetType = UNSET
    # sold, bought, repaid, netted, fee, fund, adl, socialized, surplus or takeover
    step: str | UnsetType = UNSET
    amount: str | UnsetType = UNSET  # Of the asset; funding: paid if negative.
    qty: str | UnsetType = UNSET
    price: str | UnsetType = UNSET
    # restored, closed or bankrupt; of a conversion its cause: threshold, liquidation or reset
    result: str | UnsetType = UNSET
    covered: str | UnsetType = UNSET  # What the insurance fund paid.
    rate: str | UnsetType = UNSET
    principal: str | UnsetType = UNSET
    interest: str | UnsetType = UNSET  # Owed after a charge, to 18 places.
    due: int | UnsetType = UNSET  # When a charge fell due.
    loan: LoanSay | UnsetType = UNSET
    # leverage, margin_mode, margin_leverage, position_mode, multi_asset or fee_discount
    setting: str | UnsetType = UNSET
    value: str | UnsetType = UNSET
    epoch: int | UnsetType = UNSET
    kind: str | UnsetType = UNSET  # Of a fee tier: spot or perp.
    tier: int | UnsetType = UNSET
    maker: str | UnsetType = UNSET
    taker: str | UnsetType = UNSET
    volume: str | UnsetType = UNSET  # Of thirty days, in quote.
    says: str | UnsetType = UNSET  # Of a deleveraged position, what happened, for people:
    leg: str | UnsetType = UNSET  # which it was,
    side: str | UnsetType = UNSET  # what was done to it: a long sells (of a funding: long, short),
    rank: int | UnsetType = UNSET  # its place among the counterparties, from 1,
    score: str | UnsetType = UNSET  # the profit x leverage they are ranked by,
    realised: str | UnsetType = UNSET  # and what that realised, without a fee.
    ratio: str | UnsetType = UNSET  # Of converted collateral: what of it counted,
    fee: str | UnsetType = UNSET  # the share of its worth that the house kept,
    paid: str | UnsetType = UNSET  # and what it paid
    paid_asset: str | UnsetType = UNSET  # of what was owed.
    unrealised: str | UnsetType = UNSET
    why: str | UnsetType = UNSET  # "interest/7": what to ask `why` for.


class GaugeSay(MarginSay):
    """An unnumbered message of the `margin` channel: a scope, with its unrealised profit."""

    unrealised: str = "0"


class LiquidationSay(Say):
    """A forced trade, without the name of its owner."""

    symbol: str
    side: str
    qty: str
    price: str
    time: int


class StatusSay(Say):
    """News of the venue. `event` is "welcome", "snapshot", "symbol_state", "interest_rates",
    "fund_covered", "loan_written_off", "auction_indicated" or "auction_uncrossed"; the fields
    below belong to some of these only.
    """

    env: str
    event: str
    version: str | UnsetType = UNSET
    symbols: dict[str, str] | UnsetType = UNSET  # The trading state of each.
    symbol: str | UnsetType = UNSET
    state: str | UnsetType = UNSET
    rates: dict[str, str] | UnsetType = UNSET  # Hourly, by asset.
    due: int | UnsetType = UNSET
    fund: str | UnsetType = UNSET
    lost: str | UnsetType = UNSET  # What a lending pool will not get back; its `balance` in all.
    asset: str | UnsetType = UNSET
    paid: str | UnsetType = UNSET
    balance: str | UnsetType = UNSET  # Negative: a deficit.
    price: str | UnsetType = UNSET  # Where an auction would trade now, or has,
    qty: str | UnsetType = UNSET  # how much,
    imbalance: str | UnsetType = UNSET  # and the demand less supply it leaves over.


class GapPush(Push):
    """A push before which `gap` others of its channel were left out: the reader was too slow."""

    gap: int = 0


class SubscribedSay(Say):
    """The channels of the connection; `seq` is where its private events go on from."""

    channels: list[str]
    seq: int | None = None


class LoginSay(Say):
    """Who the connection speaks for from now on."""

    account_id: int
    permissions: list[str]
    env: str = ENV


class ResumedSay(Say):
    """All that was missed was sent before this: how many events, and up to which number."""

    events: int
    seq: int


class PongSay(Say):
    """The answer to a `ping` op: exchange time."""

    time: int
    env: str = ENV


class ListLegSay(Say):
    """One order of a list; `order_id` is None until it is placed."""

    order_id: int | None
    client_id: str
    status: str  # pending_new, open, moved; filled, part_filled, ended, rejected.


class OrderListSay(Say):
    """Orders that hang together, as they stand."""

    list_id: int
    kind: str  # oco, oto or otoco.
    symbol: str
    status: str  # executing; done, rejected.
    client_id: str
    reason: str | None  # Why an order that waited could not be placed.
    updated_ms: int
    orders: list[ListLegSay]
    placed_ms: int = 0
    bracket: bool = False  # What waits takes its quantity from what the first order brings.
    repeated: bool = False  # The client id was known: this is the list of the first time.
