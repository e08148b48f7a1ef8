"""python-binance trades here unchanged."""

from __future__ import annotations

from pathlib import Path

import pytest
from binance.exceptions import BinanceAPIException

from tests.exchange.gateway.binance.clients.pointing import python_binance
from tests.exchange.gateway.binance.clients.test_ccxt import SYMBOLS, quoted
from tests.exchange.gateway.rig import running


async def test_spot_and_futures_orders_and_accounts(tmp_path: Path) -> None:
    async with running(tmp_path, symbols=SYMBOLS) as rig:
        await quoted(rig)
        async with python_binance(await rig.open_account()) as client:
            depth = await client.get_order_book(symbol="BTCUSDT")
            assert float(depth["asks"][0][0]) == 50_010
            bought = await client.order_market_buy(symbol="BTCUSDT", quantity="0.05")
            assert (bought["status"], bought["fills"][0]["price"]) == ("FILLED", "50010.00000000")
            resting = await client.order_limit_sell(
                symbol="BTCUSDT", quantity="0.01", price="51000"
            )
            cancelled = await client.cancel_order(symbol="BTCUSDT", orderId=resting["orderId"])
            assert cancelled["status"] == "CANCELED"
            account = await client.get_account()
            held = {each["asset"]: each["free"] for each in account["balances"]}
            assert float(held["BTC"]) == pytest.approx(0.05 * 0.999)
            with pytest.raises(BinanceAPIException) as refused:
                await client.order_limit_buy(symbol="BTCUSDT", quantity="0.000001", price="49000")
            assert refused.value.code in {-1013, -1111}
            await client.futures_change_leverage(symbol="BTCUSDT", leverage=5)
            order = await client.futures_create_order(
                symbol="BTCUSDT",
                side="BUY",
                type="MARKET",
                quantity="0.05",
                newOrderRespType="RESULT",
            )
            assert order["status"] == "FILLED"
            positions = await client.futures_position_information(symbol="BTCUSDT")
            assert float(positions[0]["positionAmt"]) == 0.05


async def test_margin_is_borrowed_and_repaid(tmp_path: Path) -> None:
    async with running(tmp_path, symbols=SYMBOLS) as rig:
        await quoted(rig)
        async with python_binance(await rig.open_account()) as client:
            await client.transfer_spot_to_margin(asset="USDT", amount="1000")
            await client.create_margin_loan(asset="USDT", amount="500")
            account = await client.get_margin_account()
            usdt = next(each for each in account["userAssets"] if each["asset"] == "USDT")
            assert (float(usdt["free"]), float(usdt["borrowed"])) == (1_500, 500)
            await client.repay_margin_loan(asset="USDT", amount="500")
