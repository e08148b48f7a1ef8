"""ccxt trades here unchanged: markets, data, orders, balances, positions, errors."""

from __future__ import annotations

from pathlib import Path

import ccxt
import pytest

from tests.exchange.gateway.binance.clients.pointing import ccxt_client
from tests.exchange.gateway.rig import Rig, Trader, running

SYMBOLS = ("BTC-USDT", "ETH-USDT", "BTC-USDT-PERP", "BTC-USD-PERP")


async def quoted(rig: Rig) -> Trader:
    """A maker with coins who quotes the pair and the contract around 50,000."""
    await rig.set_index("BTC-USDT", "50000")
    maker = await rig.open_account()
    faucet = {"wallet": "spot", "asset": "BTC", "amount": "10"}
    assert (await maker.ask("POST", "/v1/faucet", faucet)).status in {200, 201}
    for symbol in ("BTC-USDT", "BTC-USDT-PERP"):
        for bid, ask in (("49990", "50010"), ("49980", "50020")):
            await maker.order(symbol, "buy", "0.1", price=bid)
            await maker.order(symbol, "sell", "0.1", price=ask)
    return maker


async def test_spot_from_markets_to_a_trade_and_back_to_a_balance(tmp_path: Path) -> None:
    async with running(tmp_path, symbols=SYMBOLS) as rig:
        await quoted(rig)
        async with ccxt_client("binance", await rig.open_account()) as exchange:
            markets = await exchange.load_markets()
            assert {"BTC/USDT", "BTC/USDT:USDT", "BTC/USD:BTC"} <= set(markets)
            assert markets["BTC/USDT"]["precision"] == {
                **markets["BTC/USDT"]["precision"],
                **{"price": 0.01, "amount": 0.00001},
            }
            book = await exchange.fetch_order_book("BTC/USDT")
            assert (book["bids"][0], book["asks"][0]) == ([49990.0, 0.1], [50010.0, 0.1])
            order = await exchange.create_order("BTC/USDT", "market", "buy", 0.05)
            assert (order["status"], order["filled"], order["average"]) == ("closed", 0.05, 50010)
            (trade,) = await exchange.fetch_my_trades("BTC/USDT")
            assert (trade["order"], trade["takerOrMaker"]) == (order["id"], "taker")
            balance = await exchange.fetch_balance()
            # 100,000 less 0.05 x 50,010; a fee of 0.1 % is taken from the coins.
            assert balance["USDT"]["free"] == pytest.approx(100_000 - 2_500.5)
            assert balance["BTC"]["free"] == pytest.approx(0.05 * 0.999)


async def test_spot_orders_are_placed_found_edited_and_cancelled(tmp_path: Path) -> None:
    async with running(tmp_path, symbols=SYMBOLS) as rig:
        await quoted(rig)
        async with ccxt_client("binance", await rig.open_account()) as exchange:
            placed = await exchange.create_order("BTC/USDT", "limit", "buy", 0.01, 49_000)
            assert placed["status"] == "open"
            edited = await exchange.edit_order(
                placed["id"], "BTC/USDT", "limit", "buy", 0.02, 48_000
            )
            assert edited["id"] != placed["id"]
            (found,) = await exchange.fetch_open_orders("BTC/USDT")
            assert (found["id"], found["price"], found["amount"]) == (edited["id"], 48_000, 0.02)
            await exchange.cancel_order(edited["id"], "BTC/USDT")
            gone = await exchange.fetch_order(edited["id"], "BTC/USDT")
            assert gone["status"] == "canceled"
            stop = {"stopPrice": 51_000}
            trigger = await exchange.create_order(
                "BTC/USDT", "market", "buy", 0.01, None, {"stopLossPrice": 51_000} | stop
            )
            await exchange.cancel_all_orders("BTC/USDT")
            assert (await exchange.fetch_order(trigger["id"], "BTC/USDT"))["status"] == "canceled"


async def test_what_is_refused_is_an_exception_of_its_kind(tmp_path: Path) -> None:
    async with running(tmp_path, symbols=SYMBOLS) as rig:
        await quoted(rig)
        async with ccxt_client("binance", await rig.open_account()) as exchange:
            with pytest.raises(ccxt.InsufficientFunds):
                await exchange.create_order("BTC/USDT", "limit", "buy", 100, 49_000)
            with pytest.raises(ccxt.OrderImmediatelyFillable):
                await exchange.create_order(
                    "BTC/USDT", "limit", "buy", 0.01, 50_010, {"postOnly": True}
                )
            with pytest.raises(ccxt.OrderNotFound):
                await exchange.fetch_order("999999", "BTC/USDT")
            exchange.secret = "wrong"
            with pytest.raises(ccxt.AuthenticationError):
                await exchange.fetch_balance()


async def test_a_contract_is_levered_traded_and_closed(tmp_path: Path) -> None:
    async with running(tmp_path, symbols=SYMBOLS) as rig:
        await quoted(rig)
        async with ccxt_client("binanceusdm", await rig.open_account()) as exchange:
            await exchange.load_markets()
            symbol = "BTC/USDT:USDT"
            assert (await exchange.set_leverage(10, symbol))["leverage"] == 10
            await exchange.set_margin_mode("isolated", symbol)
            order = await exchange.create_order(symbol, "market", "buy", 0.05)
            assert (order["status"], order["filled"]) == ("closed", 0.05)
            (position,) = await exchange.fetch_positions([symbol])
            assert (position["side"], position["contracts"]) == ("long", 0.05)
            assert (position["entryPrice"], position["marginMode"]) == (50_010, "isolated")
            balance = await exchange.fetch_balance()
            assert balance["USDT"]["total"] == pytest.approx(100_000, rel=0.01)
            stop = await exchange.create_order(
                symbol, "market", "sell", 0.05, None, {"stopLossPrice": 49_000, "reduceOnly": True}
            )
            assert stop["id"]
            close = {"reduceOnly": True}
            await exchange.create_order(symbol, "market", "sell", 0.05, None, close)
            assert await exchange.fetch_positions([symbol]) == []
            with pytest.raises(ccxt.InsufficientFunds):
                await exchange.create_order(symbol, "limit", "buy", 90, 49_000)
