"""The past of a futures account: trades, income, forced orders, limits."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from exchange.events import Deleveraged
from exchange.history_details import ADL_DETAIL
from exchange.storage.rows import DeleverRow
from matching.types import Side
from tests.exchange.gateway.binance.futures.scenes import INVERSE, LINEAR, futures, trade
from tests.exchange.gateway.rig import START_MS


async def test_trades_tell_what_they_made_and_cost(tmp_path: Path) -> None:
    async with futures(tmp_path) as (_, (bot, maker)):
        await trade(bot, maker, "0.1", "50000")
        await trade(maker, bot, "0.1", "50100")
        first, second = (await bot.signed("GET", "/fapi/v1/userTrades", symbol=LINEAR)).json
        assert (first["side"], first["buyer"], first["maker"]) == ("BUY", True, False)
        # Bought as taker: 0.05 % of 5,000. Sold as maker: 0.02 % of 5,010, and 100 x 0.1 gained.
        assert (first["commission"], first["commissionAsset"]) == ("2.50000000", "USDT")
        assert (second["commission"], second["realizedPnl"]) == ("1.00200000", "10.00000000")
        assert (second["maker"], second["quoteQty"]) == (True, "5010.00000000")
        later = await bot.signed("GET", "/fapi/v1/userTrades", symbol=LINEAR, fromId=second["id"])
        assert later.json == [second]
        missing = await bot.signed("GET", "/fapi/v1/userTrades")
        assert missing.json["code"] == -1102


async def test_coin_margined_trades_tell_coins(tmp_path: Path) -> None:
    async with futures(tmp_path) as (_, (bot, maker)):
        await trade(bot, maker, "100", "50000", api="dapi")
        (one,) = (await bot.signed("GET", "/dapi/v1/userTrades", pair="BTCUSD")).json
        assert (one["symbol"], one["pair"], one["qty"]) == (INVERSE, "BTCUSD", "100")
        assert (one["baseQty"], one["marginAsset"]) == ("0.20000000", "BTC")
        assert (one["commission"], one["commissionAsset"]) == ("0.00010000", "BTC")


async def test_income_is_told_by_kind_and_product(tmp_path: Path) -> None:
    async with futures(tmp_path) as (_, (bot, maker)):
        await trade(bot, maker, "0.1", "50000")
        await trade(maker, bot, "0.1", "50100")
        await trade(bot, maker, "100", "50000", api="dapi")
        said = (await bot.signed("GET", "/fapi/v1/income", symbol=LINEAR)).json
        assert [(each["incomeType"], each["income"]) for each in said] == [
            ("COMMISSION", "-2.50000000"),
            ("REALIZED_PNL", "10.00000000"),
            ("COMMISSION", "-1.00200000"),
        ]
        assert {each["symbol"] for each in said} == {LINEAR}
        whole = (await bot.signed("GET", "/fapi/v1/income", limit=1_000)).json
        assert sum(each["incomeType"] == "COMMISSION" for each in whole) == 2
        assert {each["asset"] for each in whole} == {"USDT"}
        gifts = (await bot.signed("GET", "/fapi/v1/income", incomeType="TRANSFER")).json
        assert gifts[-1]["income"] == "100000.00000000"
        coins = (await bot.signed("GET", "/dapi/v1/income", incomeType="COMMISSION")).json
        assert [each["income"] for each in coins] == ["-0.00010000"]
        last = (await bot.signed("GET", "/fapi/v1/income", limit=1)).json
        assert last == whole[-1:]


async def test_funding_is_income(tmp_path: Path) -> None:
    async with futures(tmp_path) as (rig, (bot, maker)):
        await trade(bot, maker, "0.1", "50000")
        await rig.doors.sequencer.step(8 * 3_600_000)
        (paid,) = (await bot.signed("GET", "/fapi/v1/income", incomeType="FUNDING_FEE")).json
        (got,) = (await maker.signed("GET", "/fapi/v1/income", incomeType="FUNDING_FEE")).json
        # 0.01 % of 5,000: the interest of eight hours, at a mark of 50,000.
        assert (paid["income"], got["income"]) == ("-0.50000000", "0.50000000")
        assert (paid["symbol"], paid["asset"]) == (LINEAR, "USDT")


async def test_the_order_of_a_liquidation_is_a_forced_order(tmp_path: Path) -> None:
    async with futures(tmp_path) as (rig, (bot, maker)):
        await bot.signed("POST", "/fapi/v1/marginType", symbol=LINEAR, marginType="ISOLATED")
        await bot.signed("POST", "/fapi/v1/leverage", symbol=LINEAR, leverage=100)
        await trade(bot, maker, "0.1", "50000")
        assert (await bot.signed("GET", "/fapi/v1/forceOrders")).json == []
        await rig.set_index("BTC-USDT", "48000")
        await rig.doors.sequencer.step(60_000)
        (forced,) = (await bot.signed("GET", "/fapi/v1/forceOrders", symbol=LINEAR)).json
        assert forced["clientOrderId"].startswith("autoclose-")
        assert (forced["side"], forced["timeInForce"]) == ("SELL", "IOC")
        for kind, found in (("LIQUIDATION", [forced]), ("ADL", [])):
            answer = await bot.signed("GET", "/fapi/v1/forceOrders", autoCloseType=kind)
            assert answer.json == found
        other = await bot.signed("GET", "/fapi/v1/forceOrders", autoCloseType="NONE")
        assert other.json["code"] == -1130


@pytest.mark.parametrize(
    ("api", "symbol", "qty", "paid"),
    # 0.007 BTC at 50,000 are 350 USDT; 7 contracts of 100 USD are 0.014 BTC.
    [
        ("fapi", "BTC-USDT-PERP", "0.007", {"cumQuote": "350"}),
        ("dapi", "BTC-USD-PERP", "7", {"cumBase": "0.014", "pair": "BTCUSD"}),
    ],
)
async def test_a_deleveraging_is_told_as_an_order(
    tmp_path: Path, api: str, symbol: str, qty: str, paid: dict[str, str]
) -> None:
    async with futures(tmp_path) as (rig, (bot, other)):
        event = Deleveraged(
            *(9, START_MS + 5, bot.trader.account_id, 77, symbol, symbol, Side.SELL, 7, 500_000),
            *(1, 0, "BTC", 0),
        )
        detail = json.dumps([getattr(event, name) for name in ADL_DETAIL])
        row = DeleverRow(event.account_id, event.n, symbol, event.time_ms, event.seq, detail)
        rig.history.submit(rig.doors.board.seq + 1, [("deleverages", row)])
        assert await rig.doors.history.caught_up(60.0)
        path = f"/{api}/v1/forceOrders"
        (told,) = (await bot.signed("GET", path)).json
        assert (told["orderId"], told["clientOrderId"]) == (0, "adl_autoclose")
        assert (told["side"], told["status"], told["reduceOnly"]) == ("SELL", "FILLED", True)
        assert (told["executedQty"], told["time"]) == (qty, START_MS + 5)
        assert (told["price"], told["avgPrice"]) == ("50000.0", "50000")
        assert {name: told[name] for name in paid} == paid
        assert (await bot.signed("GET", path, autoCloseType="ADL")).json == [told]
        assert (await bot.signed("GET", path, autoCloseType="LIQUIDATION")).json == []
        assert (await bot.signed("GET", path, startTime=START_MS + 6)).json == []
        assert (await other.signed("GET", path)).json == []


async def test_the_limits_of_orders_are_told(tmp_path: Path) -> None:
    async with futures(tmp_path) as (_, (bot, _)):
        said = (await bot.signed("GET", "/fapi/v1/rateLimit/order")).json
        assert [(each["interval"], each["intervalNum"], each["limit"]) for each in said] == [
            ("SECOND", 10, 300),
            ("MINUTE", 1, 1_200),
        ]


@pytest.mark.parametrize(
    ("api", "symbol", "margin", "added"),
    # A tenth of 0.1 BTC at 50,000; of 10 contracts of 100 USD, which are 0.02 BTC.
    [("fapi", LINEAR, "500.00000000", "10"), ("dapi", INVERSE, "0.00200000", "0.01")],
)
async def test_changes_of_an_isolated_positions_margin_are_told(
    tmp_path: Path, api: str, symbol: str, margin: str, added: str
) -> None:
    async with futures(tmp_path) as (rig, (bot, other)):
        path = f"/{api}/v1/positionMargin/history"
        for name, chosen in (("marginType", "ISOLATED"), ("leverage", "10")):
            fields = {"symbol": symbol, name: chosen}
            answer = await bot.signed("POST", f"/{api}/v1/{name}", **fields)
            assert answer.status == 200, answer.body
        qty = "0.1" if api == "fapi" else "10"
        await trade(bot, other, qty, "50000", api)
        for kind in (1, 2):
            change = {"symbol": symbol, "amount": added, "type": kind}
            answer = await bot.signed("POST", f"/{api}/v1/positionMargin", **change)
            assert answer.status == 200, answer.body
        await trade(other, bot, qty, "50000", api)
        assert await rig.doors.history.caught_up(60.0)
        said = (await bot.signed("GET", path, symbol=symbol)).json
        assert [(row["type"], row["deltaType"]) for row in said] == [
            (1, "TRADE"),
            (1, "USER_ADJUST"),
            (2, "USER_ADJUST"),
            (2, "TRADE"),
        ]
        assert said[0]["amount"] == margin
        assert said[1]["amount"] == said[2]["amount"]
        assert float(said[1]["amount"]) == float(added)
        assert {(row["symbol"], row["positionSide"]) for row in said} == {(symbol, "BOTH")}
        assert (await bot.signed("GET", path, symbol=symbol, type=2)).json == said[2:]
        assert (await bot.signed("GET", path, symbol=symbol, limit=1)).json == said[-1:]
        assert (await bot.signed("GET", path, symbol=symbol, type=3)).json["code"] == -1130
        assert (await other.signed("GET", path, symbol=symbol)).json == []
