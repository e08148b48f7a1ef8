"""Positions on futures are told as every generation of clients reads them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.exchange.gateway.binance.futures.scenes import INVERSE, LINEAR, futures, order, trade

RISK = "/fapi/v3/positionRisk"


async def test_only_what_is_held_or_ordered_is_listed(tmp_path: Path) -> None:
    async with futures(tmp_path) as (_, (bot, maker)):
        assert (await bot.signed("GET", RISK)).json == []
        await trade(bot, maker, "0.1", "50000")
        (row,) = (await bot.signed("GET", RISK)).json
        assert (row["symbol"], row["positionSide"], row["positionAmt"]) == (LINEAR, "BOTH", "0.100")
        assert (row["entryPrice"], row["markPrice"]) == ("50000.00000000", "50000.00000000")
        assert (row["notional"], row["marginAsset"]) == ("5000.00000000", "USDT")
        assert row["maintMargin"] == "20.00000000"  # 0.4 % of 5,000.
        assert (row["isolatedMargin"], row["isolatedWallet"]) == ("0.00000000", "0.00000000")
        (short,) = (await maker.signed("GET", RISK, symbol=LINEAR)).json
        assert (short["positionAmt"], short["notional"]) == ("-0.100", "-5000.00000000")
        assert (await bot.signed("GET", RISK, symbol="ETHUSDT")).json == []


async def test_an_order_alone_is_listed_with_what_it_bids(tmp_path: Path) -> None:
    async with futures(tmp_path) as (_, (bot, _)):
        await order(bot, "BUY", "0.1", "49000")
        (row,) = (await bot.signed("GET", RISK)).json
        assert (row["positionAmt"], row["bidNotional"]) == ("0.000", "4900.00000000")
        # 4,900 at ten times, and the taker fee of 0.05 % that is kept back.
        assert row["openOrderInitialMargin"] == "492.45000000"


async def test_version_two_lists_every_contract_with_its_settings(tmp_path: Path) -> None:
    async with futures(tmp_path) as (_, (bot, _)):
        await bot.signed("POST", "/fapi/v1/leverage", symbol=LINEAR, leverage=20)
        rows = (await bot.signed("GET", "/fapi/v2/positionRisk")).json
        assert [row["symbol"] for row in rows] == [LINEAR, "ETHUSDT"]
        assert [row["leverage"] for row in rows] == ["20", "10"]
        assert {row["marginType"] for row in rows} == {"cross"}
        assert {row["isAutoAddMargin"] for row in rows} == {"false"}


async def test_hedge_mode_has_a_row_for_each_leg(tmp_path: Path) -> None:
    async with futures(tmp_path) as (_, (bot, maker)):
        mode = await bot.signed("POST", "/fapi/v1/positionSide/dual", dualSidePosition="true")
        assert mode.status == 200
        await order(maker, "SELL", "0.1", "50000")
        taken = await order(bot, "BUY", "0.1", positionSide="LONG", newOrderRespType="RESULT")
        assert taken.json["positionSide"] == "LONG"
        (row,) = (await bot.signed("GET", RISK)).json
        assert (row["positionSide"], row["positionAmt"]) == ("LONG", "0.100")
        rows = (await bot.signed("GET", "/fapi/v2/positionRisk", symbol=LINEAR)).json
        assert [row["positionSide"] for row in rows] == ["BOTH", "LONG", "SHORT"]
        (ranks,) = (await bot.signed("GET", "/fapi/v1/adlQuantile")).json
        assert ranks == {"symbol": LINEAR, "adlQuantile": {"LONG": 4, "SHORT": 0}}


async def test_coin_margined_positions_are_contracts_and_coins(tmp_path: Path) -> None:
    async with futures(tmp_path) as (_, (bot, maker)):
        await trade(bot, maker, "100", "50000", api="dapi")
        (row,) = (await bot.signed("GET", "/dapi/v1/positionRisk", pair="BTCUSD")).json
        assert (row["symbol"], row["positionAmt"]) == (INVERSE, "100")
        assert row["notionalValue"] == "0.20000000"  # 10,000 USD at 50,000.
        assert "notional" not in row
        assert (await bot.signed("GET", "/dapi/v1/positionRisk", marginAsset="ETH")).json == []


async def test_margin_is_added_to_and_taken_from_an_isolated_position(tmp_path: Path) -> None:
    async with futures(tmp_path) as (_, (bot, maker)):
        await bot.signed("POST", "/fapi/v1/marginType", symbol=LINEAR, marginType="ISOLATED")
        await trade(bot, maker, "0.1", "50000")
        fields = {"symbol": LINEAR, "amount": "100.5"}
        added = await bot.signed("POST", "/fapi/v1/positionMargin", type=1, **fields)
        assert added.json == {
            "amount": 100.5,
            "code": 200,
            "msg": "Successfully modify position margin.",
            "type": 1,
        }
        (row,) = (await bot.signed("GET", RISK)).json
        assert row["isolatedWallet"] == "600.50000000"  # 500 and what was added.
        taken = await bot.signed("POST", "/fapi/v1/positionMargin", type=2, **fields)
        assert taken.status == 200
        more = await bot.signed("POST", "/fapi/v1/positionMargin", type=2, **fields)
        assert more.json["code"] == -4051


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"amount": "0", "type": 1}, -4055),
        ({"amount": "x", "type": 1}, -1102),
        ({"amount": "1", "type": 3}, -1130),
        ({"amount": "1", "type": 1}, -4054),
    ],
)
async def test_margin_that_cannot_be_moved_is_refused(
    tmp_path: Path, fields: dict[str, str], code: int
) -> None:
    async with futures(tmp_path) as (_, (bot, _)):
        answer = await bot.signed("POST", "/fapi/v1/positionMargin", symbol=LINEAR, **fields)
        assert answer.json["code"] == code


async def test_margin_is_not_added_to_a_cross_position(tmp_path: Path) -> None:
    async with futures(tmp_path) as (_, (bot, maker)):
        await trade(bot, maker, "0.1", "50000")
        fields = {"symbol": LINEAR, "amount": "1", "type": 1}
        answer = await bot.signed("POST", "/fapi/v1/positionMargin", **fields)
        assert answer.json["code"] == -4049
