"""A call knows its product, its account, its instruments and its limits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from exchange.commands import Deposit, Transfer
from exchange.gateway.binance.calls import Call, Route
from exchange.gateway.binance.door import new_dialect
from exchange.gateway.binance.errors import BinanceError
from exchange.gateway.binance.general import ping
from exchange.gateway.binance.params import Params
from exchange.gateway.calls import Caller
from matching.reasons import Reason
from tests.exchange.gateway.rig import Rig, running


def call_of(rig: Rig, account_id: int | None = None, **fields: str) -> Call:
    dialect = new_dialect(rig.doors)
    return Call(
        dialect=dialect, api="fapi", params=Params(fields.items()), caller=Caller(account_id)
    )


async def test_it_finds_instruments_of_its_own_product(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        call = call_of(rig, symbol="btcusdt")
        assert call.product == "um"
        assert call.instrument().symbol == "BTC-USDT-PERP"
        assert call_of(rig).named() is None
        with pytest.raises(BinanceError, match="-1102"):
            call_of(rig).instrument()


async def test_without_a_key_there_is_no_account(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        with pytest.raises(BinanceError, match="-2015"):
            _ = call_of(rig).account
        trader = await rig.open_account()
        assert call_of(rig, trader.account_id).account.id == trader.account_id


async def test_a_refusal_of_the_engine_comes_in_the_routes_words(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        trader = await rig.open_account()
        call = call_of(rig, trader.account_id)
        call.refusals = {Reason.INSUFFICIENT_BALANCE: (-3041, "Balance is not enough")}
        much: dict[str, Any] = {"asset": "USDT", "amount_minor": 10**15}
        with pytest.raises(BinanceError, match="-3041: Balance is not enough"):
            await call.submit(
                Transfer(account_id=trader.account_id, source="spot", target="perp", **much)
            )
        done = await call.submit(Deposit(account_id=trader.account_id, wallet="spot", **much))
        assert done.answer.reason is None


async def test_orders_are_counted_for_the_account(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        trader = await rig.open_account()
        call = call_of(rig, trader.account_id)
        call.count_orders(3)
        assert [used for _, used in call.used] == [3, 3]


def test_a_route_knows_whose_limits_it_counts_against() -> None:
    data = Route(verb="GET", path="/futures/data/openInterestHist", handler=ping)
    assert data.api == "fapi"
    assert Route(verb="GET", path="/sapi/v1/system/status", handler=ping).api == "sapi"
    weighed = Route(verb="GET", path="/api/v3/x", handler=ping, weight=lambda p: p.limit(5, 9))
    assert weighed.weigh(Params([("limit", "7")])) == 7
