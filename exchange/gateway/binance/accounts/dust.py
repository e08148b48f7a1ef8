"""Dust sold to the house: in Binance's words, but for the venue's quote."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Final

from exchange.commands import ConvertDust
from exchange.events import LedgerPosted
from exchange.gateway.binance.accounts.amounts import eight, known_asset
from exchange.gateway.binance.accounts.pages import span
from exchange.gateway.binance.accounts.refusals import REFUSALS
from exchange.gateway.binance.calls import Call, Route
from exchange.storage.rows import LedgerRow
from risk.ledger import PostingReason

CONVERSIONS_MAX: Final = 100


async def convert(call: Call) -> dict[str, Any]:
    """Sell what of each `asset` no order can sell; several are separated by commas."""
    account = call.account
    names = call.params.need("asset").split(",")
    assets = [known_asset(call, name.strip()).asset for name in names]
    done = await call.submit(ConvertDust(account_id=account.id, assets=assets))
    posted = done.of(LedgerPosted, account_id=account.id)
    sold = [each for each in posted if each.change_minor < 0 and each.reason == PostingReason.DUST]
    paid = [each for each in posted if each.change_minor > 0 and each.reason == PostingReason.DUST]
    fees = [each for each in posted if each.reason == PostingReason.FEE]
    results = [
        {
            "amount": eight(-out.change_minor),
            "fromAsset": out.asset,
            "operateTime": done.answer.time_ms,
            "serviceChargeAmount": eight(-fee.change_minor),
            "tranId": done.answer.seq,
            "transferedAmount": eight(got.change_minor + fee.change_minor),
        }
        for out, got, fee in zip(sold, paid, fees, strict=True)
    ]
    return {
        "totalServiceCharge": eight(-sum(each.change_minor for each in fees)),
        "totalTransfered": eight(sum(each.change_minor for each in (*paid, *fees))),
        "transferResult": results,
    }


async def converted(call: Call) -> dict[str, Any]:
    """What was sold before, the newest first; a hundred conversions at most."""
    rows: list[LedgerRow] = []
    if call.params.choice("accountType", ("SPOT", "MARGIN"), "SPOT") == "SPOT":  # Of no other.
        reasons = (PostingReason.DUST.value, PostingReason.FEE.value)
        rows = await call.doors.history.ledger(call.account.id, reasons=reasons, part=span(call))
    by_seq: dict[int, list[LedgerRow]] = defaultdict(list)
    for row in rows:
        by_seq[row.seq].append(row)
    said = [
        _conversion(seq, posted)
        for seq, posted in by_seq.items()
        if any(row.reason == PostingReason.DUST for row in posted)
    ][::-1]
    return {"total": len(said), "userAssetDribblets": said[:CONVERSIONS_MAX]}


def _conversion(seq: int, posted: list[LedgerRow]) -> dict[str, Any]:
    """One command's conversions: of each asset what was given, what came for it, and the fee."""
    sold = [row for row in posted if row.change_minor < 0 and row.reason == PostingReason.DUST]
    paid = [row for row in posted if row.change_minor > 0 and row.reason == PostingReason.DUST]
    fees = [row for row in posted if row.reason == PostingReason.FEE]
    return {
        "operateTime": posted[0].time_ms,
        "totalTransferedAmount": eight(sum(row.change_minor for row in (*paid, *fees))),
        "totalServiceChargeAmount": eight(-sum(row.change_minor for row in fees)),
        "transId": seq,
        "userAssetDribbletDetails": [
            {
                "transId": seq,
                "serviceChargeAmount": eight(-fee.change_minor),
                "amount": eight(-out.change_minor),
                "operateTime": out.time_ms,
                "transferedAmount": eight(got.change_minor + fee.change_minor),
                "fromAsset": out.asset,
                "targetAsset": got.asset,
            }
            for out, got, fee in zip(sold, paid, fees, strict=True)
        ],
    }


ROUTES = (
    Route(
        verb="GET",
        path="/sapi/v1/asset/dribblet",
        handler=converted,
        security="U",
        refusals=REFUSALS,
    ),
    Route(
        verb="POST",
        path="/sapi/v1/asset/dust",
        handler=convert,
        weight=10,
        security="M",
        by_account=True,
        refusals=REFUSALS,
    ),
)
