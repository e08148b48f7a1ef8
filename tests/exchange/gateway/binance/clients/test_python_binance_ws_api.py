"""python-binance asks and orders over the WebSocket API here unchanged, spot and USD-M."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any, Final, NamedTuple

import pytest
import pytest_asyncio
from binance import AsyncClient
from binance.exceptions import BinanceAPIException, BinanceWebsocketUnableToConnect

from tests.exchange.gateway.binance.clients.pointing import python_binance
from tests.exchange.gateway.binance.clients.venue import Venue, venue

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAIR: Final = {"symbol": "BTCUSDT"}
MINUTES: Final = PAIR | {"interval": "1m"}
LIMIT: Final = PAIR | {"quantity": "0.01", "price": "49000"}
BUY: Final = {"side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
OCO: Final = PAIR | {
    "side": "SELL",
    "quantity": "0.01",
    "aboveType": "LIMIT_MAKER",
    "abovePrice": "52000",
    "belowType": "STOP_LOSS",
    "belowStopPrice": "48000",
}
PENDING: Final = PAIR | {
    "workingType": "LIMIT",
    "workingSide": "BUY",
    "workingPrice": "49000",
    "workingQuantity": "0.01",
    "workingTimeInForce": "GTC",
    "pendingSide": "SELL",
    "pendingQuantity": "0.01",
}
OTO: Final = PENDING | {"pendingType": "LIMIT_MAKER", "pendingPrice": "52000"}
OTOCO: Final = PENDING | {
    "pendingAboveType": "LIMIT_MAKER",
    "pendingAbovePrice": "52000",
    "pendingBelowType": "STOP_LOSS",
    "pendingBelowStopPrice": "48000",
}


class Twin(NamedTuple):
    """A method of the WebSocket API that answers what a REST method answers."""

    method: str
    rest: str
    fields: dict[str, Any]

    def __str__(self) -> str:
        return self.method


PUBLIC: Final = (
    Twin("ws_ping", "ping", {}),
    Twin("ws_get_order_book", "get_order_book", PAIR),
    Twin("ws_get_recent_trades", "get_recent_trades", PAIR),
    Twin("ws_get_historical_trades", "get_historical_trades", PAIR),
    Twin("ws_get_aggregate_trades", "get_aggregate_trades", PAIR),
    Twin("ws_get_klines", "get_klines", MINUTES),
    Twin("ws_get_uiKlines", "get_ui_klines", MINUTES),
    Twin("ws_get_avg_price", "get_avg_price", PAIR),
    Twin("ws_get_ticker", "get_ticker", PAIR),
    Twin("ws_get_trading_day_ticker", "v3_get_ticker_trading_day", PAIR),
    Twin("ws_get_symbol_ticker_window", "get_symbol_ticker_window", PAIR),
    Twin("ws_get_symbol_ticker", "get_symbol_ticker", PAIR),
    Twin("ws_get_orderbook_ticker", "get_orderbook_ticker", PAIR),
    Twin("ws_futures_get_order_book", "futures_order_book", PAIR),
    Twin("ws_futures_get_all_tickers", "futures_symbol_ticker", PAIR),
    Twin("ws_futures_get_order_book_ticker", "futures_orderbook_ticker", PAIR),
)
SIGNED: Final = (
    Twin("ws_get_account", "get_account", {}),
    Twin("ws_get_all_orders", "get_all_orders", PAIR),
    Twin("ws_get_my_trades", "get_my_trades", PAIR),
    Twin("ws_get_allocations", "get_allocations", PAIR),
    Twin("ws_get_commission_rates", "v3_get_account_commission", PAIR),
    Twin("ws_get_account_rate_limits_orders", "get_current_order_count", {}),
    Twin("ws_futures_v2_account_balance", "futures_account_balance", {}),
    Twin("ws_futures_v2_account_position", "futures_position_information", {}),
    Twin("ws_futures_account_status", "futures_account", {}),
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def both(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Venue]:
    """A venue where a trade was made on the pair and on the perpetual."""
    async with venue(tmp_path_factory.mktemp("ws-api")) as found:
        for symbol in ("BTC-USDT", "BTC-USDT-PERP"):
            await found.trade(symbol, "50000", "0.5")
        await found.kept()
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def trading(both: Venue) -> AsyncIterator[AsyncClient]:
    """A client whose account has bought a coin and is long a perpetual."""
    async with python_binance(await both.account(spot="BTC")) as client:
        await client.order_market_buy(**PAIR, quantity="0.1")
        await client.futures_market_buy_order(**PAIR, quantity="0.1")
        await both.kept()
        yield client


@pytest.mark.parametrize("twin", PUBLIC, ids=str)
async def test_what_is_public_is_answered_as_over_rest(trading: AsyncClient, twin: Twin) -> None:
    said = await getattr(trading, twin.method)(**twin.fields)
    assert said == await getattr(trading, twin.rest)(**twin.fields)


@pytest.mark.parametrize("twin", SIGNED, ids=str)
async def test_what_is_signed_is_answered_as_over_rest(trading: AsyncClient, twin: Twin) -> None:
    said = await getattr(trading, twin.method)(**twin.fields)
    assert said or twin.method == "ws_get_allocations"
    assert said == await getattr(trading, twin.rest)(**twin.fields)


async def test_times_and_names_are_told(trading: AsyncClient) -> None:
    before = (await trading.get_server_time())["serverTime"]
    assert (await trading.ws_get_time())["serverTime"] >= before
    told = await trading.ws_get_exchange_info(symbol="BTCUSDT")
    assert [each["symbol"] for each in told["symbols"]] == ["BTCUSDT"]
    (balance,) = await trading.ws_futures_account_balance()
    assert balance["asset"] == "USDT"
    held = await trading.ws_futures_account_position(symbol="BTCUSDT")
    assert held[0]["positionAmt"] == "0.100"
    newer = await trading.ws_futures_v2_account_status()
    assert [each["symbol"] for each in newer["positions"]] == ["BTCUSDT"]


async def test_spot_orders_are_placed_found_replaced_and_cancelled(both: Venue) -> None:
    async with both.bot(spot="BTC") as client:
        assert await client.ws_create_test_order(**LIMIT, **BUY) == {}
        placed = await client.ws_create_order(**LIMIT, **BUY)
        name = PAIR | {"orderId": placed["orderId"]}
        assert (await client.ws_get_order(**name))["status"] == "NEW"
        replaced = await client.ws_cancel_and_replace_order(
            **(LIMIT | {"price": "48000"}),
            **BUY,
            cancelReplaceMode="STOP_ON_FAILURE",
            cancelOrderId=placed["orderId"],
        )
        name["orderId"] = replaced["newOrderResponse"]["orderId"]
        (opened,) = await client.ws_get_open_orders(**PAIR)
        assert (opened["orderId"], opened["price"]) == (name["orderId"], "48000.00000000")
        assert (await client.ws_cancel_order(**name))["status"] == "CANCELED"
        shorts: tuple[tuple[Callable[..., Any], dict[str, str]], ...] = (
            (client.ws_order_limit, LIMIT | {"side": "BUY"}),
            (client.ws_order_limit_buy, LIMIT),
            (client.ws_order_limit_sell, LIMIT | {"price": "51000"}),
        )
        for method, fields in shorts:
            assert (await method(**fields))["status"] == "NEW"
        assert len(await client.ws_cancel_all_open_orders(**PAIR)) == 3
        lot = PAIR | {"quantity": "0.01"}
        for method, fields in (
            (client.ws_order_market, lot | {"side": "BUY"}),
            (client.ws_order_market_buy, lot),
            (client.ws_order_market_sell, lot),
        ):
            assert (await method(**fields))["status"] == "FILLED"


async def test_lists_are_placed_found_and_cancelled(both: Venue) -> None:
    async with both.bot(spot="BTC") as client:
        for method, wish, legs in (
            (client.ws_create_oco_order, OCO, 2),
            (client.ws_create_oto_order, OTO, 2),
            (client.ws_create_otoco_order, OTOCO, 3),
        ):
            placed = await method(**wish)
            name = {"orderListId": placed["orderListId"]}
            assert len(placed["orders"]) == legs
            assert (await client.ws_get_oco_order(**name))["listOrderStatus"] == "EXECUTING"
            (opened,) = await client.ws_get_oco_open_orders()
            assert opened["orderListId"] == placed["orderListId"]
            gone = await client.ws_cancel_oco_order(**PAIR, **name)
            assert gone["listOrderStatus"] == "ALL_DONE"


async def test_futures_orders_are_placed_found_changed_and_cancelled(both: Venue) -> None:
    async with both.bot() as client:
        placed = await client.ws_futures_create_order(**LIMIT, **BUY)
        name = PAIR | {"orderId": placed["orderId"]}
        assert (await client.ws_futures_get_order(**name))["status"] == "NEW"
        fewer = await client.ws_futures_edit_order(
            **name, side="BUY", quantity="0.005", price="49000"
        )
        assert fewer["origQty"] == "0.005"
        assert (await client.ws_futures_cancel_order(**name))["status"] == "CANCELED"
        stop = PAIR | {"side": "SELL", "type": "STOP_MARKET", "quantity": "0.01"}
        asleep = await client.ws_futures_create_order(**stop, stopPrice="48000")
        assert (await client.ws_futures_cancel_order(algoId=asleep["algoId"]))["code"] == "200"
        other = await client.ws_futures_create_algo_order(
            **stop, algoType="CONDITIONAL", triggerPrice="48000"
        )
        assert (await client.ws_futures_cancel_algo_order(algoId=other["algoId"]))["code"] == "200"


async def test_a_refusal_is_an_exception_with_its_code(both: Venue) -> None:
    async with both.bot() as client:
        for asked, code in (
            (client.ws_get_order(**PAIR, orderId=999_999), -2013),
            (client.ws_order_limit_buy(**(LIMIT | {"quantity": "100"})), -2010),
            (client.ws_get_order_book(symbol="NOPE"), -1121),
            (client.ws_futures_cancel_order(**PAIR, orderId=999_999), -2011),
            (client.ws_get_prevented_matches(**PAIR, orderId=1), -1020),
            (client.ws_create_sor_order(**LIMIT, **BUY), -1020),
        ):
            with pytest.raises((BinanceAPIException, BinanceWebsocketUnableToConnect)) as refused:
                await asked
            assert getattr(refused.value, "code", None) == code
