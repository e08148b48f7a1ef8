"""Dust sold to the house: in Binance's words, but for the venue's quote."""

from __future__ import annotations

from typing import Any

from exchange.commands import ConvertDust
from exchange.events import LedgerPosted
from exchange.gateway.binance.accounts.amounts import eight, known_asset
from exchange.gateway.binance.accounts.refusals import REFUSALS
from exchange.gateway.binance.calls import Call, Route
from risk.ledger import PostingReason


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


ROUTES = (
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
