"""Balances, positions and settings of futures are told in Binance's fields, types and order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.exchange.gateway.binance.binance_rig import Bot, bot_of
from tests.exchange.gateway.binance.ws_api.socket_rig import Socket, connected
from tests.exchange.gateway.rig import Rig, running

pytestmark = pytest.mark.usefixtures("both_ports")

PAIR = "BTC-USDT"
PERP = "BTC-USDT-PERP"


async def rich(rig: Rig) -> Bot:
    """A bot with 5000 more for contracts than the faucet gave."""
    bot = await bot_of(rig)
    fields = {"asset": "USDT", "from": "spot", "to": "perp", "amount": "5000"}
    assert (await bot.trader.ask("POST", "/v1/transfers", fields)).status < 300
    return bot


async def key_of(bot: Bot) -> str:
    """The stream's path of USD-M."""
    key = (await bot.keyed("POST", "/fapi/v1/listenKey")).json["listenKey"]
    return f"/um/ws/{key}"


async def heard(socket: Socket, count: int) -> list[dict[str, Any]]:
    """The next events."""
    return [await socket.event() for _ in range(count)]


async def test_a_fill_is_told_as_a_report_and_then_an_update(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        await rig.set_index(PAIR, "50000")
        bot, other = await rich(rig), await rich(rig)
        async with connected(rig, await key_of(bot)) as socket:
            await other.trader.order(PERP, "sell", "0.01", price="50000")
            await bot.trader.order(PERP, "buy", "0.01", price="50000")
            _, trade, update = await heard(socket, 3)
            assert (trade["e"], trade["o"]["x"]) == ("ORDER_TRADE_UPDATE", "TRADE")
            assert list(update) == ["e", "E", "T", "a"]
            assert (update["e"], update["a"]["m"]) == ("ACCOUNT_UPDATE", "ORDER")
            (balance,) = update["a"]["B"]
            assert list(balance) == ["a", "wb", "cw", "bc"]
            # The faucet gave 100000; neither fee nor profit is a `bc`.
            left = 105_000 - float(trade["o"]["n"])
            assert (float(balance["wb"]), balance["bc"]) == (left, "0.00000000")
            assert balance["cw"] == balance["wb"]
            (position,) = update["a"]["P"]
            assert list(position) == [
                *("s", "pa", "ep", "bep", "cr", "up", "mt", "iw", "ps", "ma"),
            ]
            assert (position["s"], position["ep"], position["mt"]) == ("BTCUSDT", "50000", "cross")
            assert (float(position["pa"]), position["ps"]) == (0.01, "BOTH")


async def test_what_a_close_realises_is_told_with_the_trade_and_summed(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        await rig.set_index(PAIR, "50000")
        bot, other = await rich(rig), await rich(rig)
        async with connected(rig, await key_of(bot)) as socket:
            await other.trader.order(PERP, "sell", "0.01", price="50000")
            await bot.trader.order(PERP, "buy", "0.01", price="50000")
            await heard(socket, 3)
            await other.trader.order(PERP, "buy", "0.01", price="50100")
            await bot.trader.order(PERP, "sell", "0.01", price="50100")
            _, trade, update = await heard(socket, 3)
            # 0.01 x (50100 - 50000).
            assert trade["o"]["rp"] == "1.00000000"
            (position,) = update["a"]["P"]
            assert (float(position["pa"]), position["cr"]) == (0.0, "1.00000000")


async def test_money_moved_in_and_out_is_told_by_its_direction(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot = await rich(rig)
        async with connected(rig, await key_of(bot)) as socket:
            fields = {"asset": "USDT", "from": "perp", "to": "spot", "amount": "10"}
            await bot.trader.ask("POST", "/v1/transfers", fields)
            (out,) = await heard(socket, 1)
            assert (out["a"]["m"], out["a"]["P"]) == ("WITHDRAW", [])
            left = "104990.00000000"
            usdt = {"a": "USDT", "wb": left, "cw": left, "bc": "-10.00000000"}
            assert out["a"]["B"] == [usdt]
            await bot.trader.ask("POST", "/v1/transfers", fields | {"from": "spot", "to": "perp"})
            (back,) = await heard(socket, 1)
            assert (back["a"]["m"], back["a"]["B"][0]["bc"]) == ("DEPOSIT", "10.00000000")


async def test_settings_are_told(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        await rig.set_index(PAIR, "50000")
        bot = await rich(rig)
        async with connected(rig, await key_of(bot)) as socket:
            path = "/fapi/v1/leverage"
            answer = await bot.signed("POST", path, symbol="BTCUSDT", leverage=7)
            assert answer.status == 200, answer.body
            (told,) = await heard(socket, 1)
            assert told == {
                "e": "ACCOUNT_CONFIG_UPDATE",
                "E": told["T"],
                "T": told["T"],
                "ac": {"s": "BTCUSDT", "l": 7},
            }
            path = "/fapi/v1/marginType"
            answer = await bot.signed("POST", path, symbol="BTCUSDT", marginType="ISOLATED")
            assert answer.status == 200, answer.body
            (told,) = await heard(socket, 1)
            assert told["a"]["m"] == "MARGIN_TYPE_CHANGE"
            assert told["a"]["P"][0]["mt"] == "isolated"
