"""Why something was decided: the tree of a refusal, a fill, a charge, a call or a liquidation.

Rows of the history become the events they were made of, and trees are built of events alone: so a
preview, which makes the events beforehand, says what `why` will say after.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Final

from msgspec import structs

from exchange.events import (
    Answered,
    Deleveraged,
    FundingCharged,
    FundingFixed,
    InterestCharged,
    LiquidationEnded,
    LiquidationStarted,
    LiquidationStepped,
    MarginCalled,
)
from exchange.gateway.calls import Caller, refusal
from exchange.gateway.doors import Doors
from exchange.gateway.native.asking import account_id_of
from exchange.gateway.native.asks import WhyAsk
from exchange.gateway.native.remembered import fill_row_event
from exchange.history_details import (
    ADL_DETAIL,
    CALL_DETAIL,
    FILL_DETAIL,
    FUNDING_DETAIL,
    STARTED_DETAIL,
    STEPPED_DETAIL,
    detailed,
)
from exchange.storage.queries import Part
from exchange.storage.rows import CallRow, FundingPaymentRow, InterestRow, LiquidationRow, RejectRow
from exchange.why.adl import adl_tree
from exchange.why.calls import call_tree
from exchange.why.charges import funding_tree, interest_tree
from exchange.why.fills import fill_tree
from exchange.why.liquidations import liquidation_tree
from exchange.why.rejects import reject_tree
from exchange.wire.why import WhySay
from matching.reasons import Reason
from matching.types import Side

NUMBER_CHARS_MAX: Final = 18


async def why(doors: Doors, ask: WhyAsk, caller: Caller) -> WhySay:
    """The reason tree of one decision about the caller's own account."""
    caught_up = await doors.history.caught_up()
    found = await _FINDERS[ask.kind](doors, account_id_of(caller), ask.of)
    if found is not None:
        return found
    if not caught_up:
        raise refusal(Reason.BUSY, "the history is still being written")
    raise refusal(
        Reason.NOT_FOUND, "the account has no such thing, or it is no longer kept", kind=ask.kind
    )


async def _reject(doors: Doors, account_id: int, of: str) -> WhySay | None:
    row = await doors.history.reject(account_id, _number(of))
    if row is None:
        return None
    return reject_tree(_answered(row), doors.board.instruments, _quote(doors))


async def _fill(doors: Doors, account_id: int, of: str) -> WhySay | None:
    symbol, _, trade_id = of.rpartition(":")
    instrument = doors.board.instruments.get(symbol)
    if instrument is None:
        return None
    rows = await doors.history.fill(account_id, symbol, _number(trade_id))
    trees = [
        fill_tree(
            structs.replace(fill_row_event(row), **detailed(row.detail, FILL_DETAIL)), instrument
        )
        for row in rows
    ]
    if not trees:
        return None
    # An account that met itself has both sides; the one that took comes first.
    trees.sort(key=lambda tree: tree.inputs[1].value, reverse=True)
    trees[0].children = trees[1:]
    return trees[0]


async def _interest(doors: Doors, account_id: int, of: str) -> WhySay | None:
    row = await doors.history.charge(account_id, _number(of))
    return interest_tree(_charged(row)) if isinstance(row, InterestRow) else None


async def _funding(doors: Doors, account_id: int, of: str) -> WhySay | None:
    row = await doors.history.charge(account_id, _number(of))
    if not isinstance(row, FundingPaymentRow):
        return None
    fixed = await doors.history.funding(
        row.symbol, part=Part(from_ms=row.time_ms, to_ms=row.time_ms)
    )
    rate: FundingFixed | None = None
    if fixed and fixed[0].detail:
        rate = FundingFixed(
            row.seq,
            row.time_ms,
            row.symbol,
            row.time_ms,
            fixed[0].rate_e12,
            fixed[0].mark_e8,
            **detailed(fixed[0].detail, FUNDING_DETAIL),
        )
    return funding_tree(_paid(row), doors.board.instruments[row.symbol], rate)


async def _call(doors: Doors, account_id: int, of: str) -> WhySay | None:
    row = await doors.history.call(account_id, _number(of))
    return None if row is None else call_tree(_called(row), _quote(doors))


async def _liquidation(doors: Doors, account_id: int, of: str) -> WhySay | None:
    rows = await doors.history.liquidation(account_id, _number(of))
    if not rows:
        return None
    return liquidation_tree(
        _started(rows[0]),
        [_stepped(row) for row in rows[1:]],
        doors.board.instruments,
        _quote(doors),
    )


async def _adl(doors: Doors, account_id: int, of: str) -> WhySay | None:
    row = await doors.history.deleverage(account_id, _number(of))
    if row is None:
        return None
    told = detailed(row.detail, ADL_DETAIL)
    told["side"] = Side(told["side"])
    event = Deleveraged(row.seq, row.time_ms, row.account_id, row.n, row.symbol, **told)
    return adl_tree(event, doors.board.instruments[row.symbol])


_FINDERS: Final[dict[str, Callable[[Doors, int, str], Awaitable[WhySay | None]]]] = {
    "reject": _reject,
    "fill": _fill,
    "interest": _interest,
    "funding": _funding,
    "call": _call,
    "liquidation": _liquidation,
    "adl": _adl,
}


def _quote(doors: Doors) -> str:
    return doors.engine.venue.quote


def _number(text: str) -> int:
    """A number of an event or a command; one that cannot be is 0, which nothing has."""
    plain = text.isascii() and text.isdigit() and len(text) <= NUMBER_CHARS_MAX
    return int(text) if plain else 0


# -- rows as the events they were made of ------------------------------------------------------


def _answered(row: RejectRow) -> Answered:
    details = json.loads(row.detail) if row.detail else {}
    reason = Reason[row.reason]
    return Answered(row.seq, row.time_ms, reason, 0, details, False, row.account_id)


def _charged(row: InterestRow) -> InterestCharged:
    return InterestCharged(
        seq=row.seq,
        time_ms=row.time_ms,
        account_id=row.account_id,
        n=row.n,
        wallet=row.wallet,
        asset=row.asset,
        principal_minor=row.principal_minor,
        rate_e12=row.rate_e12,
        charged_e18=row.interest_e18,
        interest_e18=row.owed_e18,
        due_ms=row.time_ms,
    )


def _paid(row: FundingPaymentRow) -> FundingCharged:
    return FundingCharged(
        seq=row.seq,
        time_ms=row.time_ms,
        account_id=row.account_id,
        n=row.n,
        symbol=row.symbol,
        lots=row.lots,
        mark_e8=row.mark_e8,
        rate_e12=row.rate_e12,
        flow_minor=row.flow_minor,
        due_ms=row.time_ms,
    )


def _called(row: CallRow) -> MarginCalled:
    return MarginCalled(
        seq=row.seq,
        time_ms=row.time_ms,
        account_id=row.account_id,
        n=row.n,
        scope=row.scope,
        level_e12=row.level_e12,
        call_level_e12=row.call_level_e12,
        add_minor=row.add_minor,
        cleared=row.cleared,
        **detailed(row.detail, CALL_DETAIL),
    )


def _started(row: LiquidationRow) -> LiquidationStarted:
    sums = {"assets_e16": 0, "debt_e16": 0, **detailed(row.detail, STARTED_DETAIL)}
    return LiquidationStarted(
        seq=row.seq,
        time_ms=row.time_ms,
        account_id=row.account_id,
        n=row.n,
        scope=row.scope,
        symbol=row.symbol,
        level_e12=row.level_e12,
        mark_e8=row.mark_e8,
        **sums,
    )


def _stepped(row: LiquidationRow) -> LiquidationStepped | LiquidationEnded:
    if row.step in ("restored", "closed", "bankrupt"):
        return LiquidationEnded(
            row.seq, row.time_ms, row.account_id, row.n, row.scope, row.step, row.amount_minor
        )
    return LiquidationStepped(
        seq=row.seq,
        time_ms=row.time_ms,
        account_id=row.account_id,
        n=row.n,
        scope=row.scope,
        symbol=row.symbol,
        step=row.step,
        asset=row.asset,
        amount_minor=row.amount_minor,
        lots=row.lots,
        price_ticks=row.price_ticks,
        **detailed(row.detail, STEPPED_DETAIL),
    )
