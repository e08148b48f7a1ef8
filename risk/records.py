"""What the risk engine did, as plain records; the exchange makes its events of them."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from matching.types import Side

Parts = tuple[tuple[str, int, int], ...]
"""What a margin wallet holds or owes: (asset, minor or owed_e18, index price_e8)."""
PositionParts = tuple[tuple[str, int, int, int, int, int, int], ...]
"""What stands on a perpetual wallet: (leg, lots, cost_minor, mark_e8, unrealised_e16, mmr_e12,
maintenance_e28)."""


class AccountRecord(NamedTuple):
    """An account was opened or reset."""

    account_id: int
    kind: str
    label: str
    epoch: int


class LoanRecord(NamedTuple):
    """A loan was taken or paid down, and what is left of it."""

    account_id: int
    loan_id: int
    wallet: str
    asset: str
    borrowed_minor: int
    repaid_principal_minor: int
    repaid_interest_minor: int
    principal_minor: int
    interest_e18: int


class InterestRecord(NamedTuple):
    """One hour of interest on one loan."""

    account_id: int
    wallet: str
    asset: str
    principal_minor: int
    rate_e12: int
    charged_e18: int
    interest_e18: int
    due_ms: int


class FundingRecord(NamedTuple):
    """One funding payment of one position."""

    account_id: int
    symbol: str
    lots: int
    mark_e8: int
    rate_e12: int
    flow_minor: int
    due_ms: int


class CallRecord(NamedTuple):
    """A margin call, or (cleared) its end."""

    account_id: int
    scope: str
    level_e12: int
    call_level_e12: int
    add_minor: int
    cleared: bool
    assets: Parts = ()
    debts: Parts = ()


class LiquidationRecord(NamedTuple):
    """A scope fell to its liquidation level."""

    account_id: int
    scope: str
    symbol: str
    assets_e16: int
    debt_e16: int
    level_e12: int
    mark_e8: int
    bound_e12: int = 0  # Of spot margin: the liquidation level. Of a perpetual there is none.
    assets: Parts = ()
    debts: Parts = ()
    positions: PositionParts = ()
    bankruptcy_ticks: int = 0
    fund_minor: int = 0


class StepRecord(NamedTuple):
    """One step of a liquidation."""

    account_id: int
    scope: str
    symbol: str
    step: str
    asset: str
    amount_minor: int
    lots: int
    price_ticks: int
    rate_e12: int = 0  # Of a fee: its rate,
    base_minor: int = 0  # and the amount it is charged on,
    left_minor: int = 0  # and what there was to take it from.
    bankruptcy_ticks: int = 0
    equity_minor: int = 0
    fund_minor: int = 0


class EndRecord(NamedTuple):
    """A liquidation is over."""

    account_id: int
    scope: str
    result: str
    covered_minor: int
    fund_minor: int = 0


class DeleverRecord(NamedTuple):
    """A position was reduced at the bankruptcy price of somebody on the other side (P14)."""

    account_id: int
    symbol: str
    leg: str
    side: Side
    lots: int
    price_ticks: int
    rank: int
    score_e12: int
    asset: str
    realised_minor: int
    lots_before: int = 0  # The position it found, signed,
    cost_before_minor: int = 0  # and its cost,
    mark_e8: int = 0  # the mark,
    equity_e16: int = 0  # and what stood behind the position.


class SettingRecord(NamedTuple):
    """A setting of an account was changed."""

    account_id: int
    symbol: str
    name: str
    value: str


class ConversionRecord(NamedTuple):
    """An asset of a multi-asset wallet paid for what the wallet owes (P18)."""

    account_id: int
    wallet: str
    asset: str
    amount_minor: int
    price_e8: int
    ratio_e12: int
    fee_e12: int
    paid_asset: str
    paid_minor: int
    balance_minor: int
    cause: str


class FeeTierRecord(NamedTuple):
    """An account came into another fee tier."""

    account_id: int
    kind: str
    tier: int
    maker_e12: int
    taker_e12: int
    volume_minor: int


class MarkRecord(NamedTuple):
    """Index, mark and predicted funding of a perpetual at a grid point."""

    symbol: str
    index_e8: int
    mark_e8: int
    predicted_rate_e12: int
    next_funding_ms: int


class IndexRecord(NamedTuple):
    """A new index price."""

    symbol: str
    index_e8: int


class FundingRateRecord(NamedTuple):
    """The funding rate and mark of a perpetual at one boundary."""

    symbol: str
    due_ms: int
    rate_e12: int
    mark_e8: int
    average_e12: int = 0  # Of the interval's premium samples,
    samples: int = 0  # which were so many.
    interest_e12: int = 0  # The terms are for eight hours.
    clamp_e12: int = 0
    cap_e12: int = 0
    interval_ms: int = 0


class RatesRecord(NamedTuple):
    """The hourly interest rates of one top of the hour."""

    due_ms: int
    rates_e12: dict[str, int]


class CoverRecord(NamedTuple):
    """An insurance fund paid; its balance may be a deficit."""

    fund: str
    asset: str
    paid_minor: int
    balance_minor: int


class BadDebtRecord(NamedTuple):
    """A lending pool lost a loan that nobody will repay, and all it lost so far (M10.7)."""

    asset: str
    principal_minor: int
    interest_e18: int
    lost_minor: int


class Booked(msgspec.Struct, frozen=True, gc=False):
    """What one side of a fill paid and made."""

    fee_minor: int
    fee_asset: str
    realised_minor: int
    rate_e12: int = 0
    lots_before: int = 0  # Of a perpetual: the position the fill found,
    cost_before_minor: int = 0  # and its cost.
    margin_before_minor: int = 0  # Of an isolated position: its margin, before
    margin_after_minor: int = 0  # and after.
    leverage: int = 0
    discount_e12: int = 0  # Of a fee in the discount asset: how much less it was,
    price_e8: int = 0  # what was received is worth,
    paid_e8: int = 0  # and the discount asset.


PrivateRecord = (
    AccountRecord
    | LoanRecord
    | InterestRecord
    | FundingRecord
    | CallRecord
    | LiquidationRecord
    | StepRecord
    | EndRecord
    | DeleverRecord
    | SettingRecord
    | FeeTierRecord
    | ConversionRecord
)
PublicRecord = (
    MarkRecord | IndexRecord | FundingRateRecord | RatesRecord | CoverRecord | BadDebtRecord
)
Record = PrivateRecord | PublicRecord
