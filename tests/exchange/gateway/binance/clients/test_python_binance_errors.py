"""What is refused here is python-binance's exception with Binance's code and text."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
import pytest_asyncio
from binance import AsyncClient
from binance.exceptions import BinanceAPIException

from tests.exchange.gateway.binance.clients.pointing import python_binance
from tests.exchange.gateway.binance.clients.venue import Venue, venue

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAIR: Final = {"symbol": "BTCUSDT"}
BUY: Final = PAIR | {"side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
SPOT: Final = BUY | {"quantity": "0.01", "price": "49000"}
STOP: Final = PAIR | {"side": "SELL", "type": "STOP_LOSS", "quantity": "0.01"}
MAKER: Final = PAIR | {"side": "BUY", "type": "LIMIT_MAKER", "quantity": "0.01"}
REPLACE: Final = SPOT | {"cancelReplaceMode": "STOP_ON_FAILURE"}
FUTURE: Final = SPOT
MARKET: Final = PAIR | {"side": "BUY", "type": "MARKET", "quantity": "0.01"}


class Refused(NamedTuple):
    """A method, what it is asked, and how it is refused."""

    method: str
    fields: dict[str, Any]
    code: int
    text: str  # How it begins.

    def __str__(self) -> str:
        return f"{self.code}-{self.method}-{self.text.split('.')[0][:40]}"


SPOT_REFUSED: Final = (
    Refused("create_order", SPOT | {"quantity": "0.000001"}, -1013, "Filter failure: LOT_SIZE"),
    Refused("create_order", SPOT | {"quantity": "0"}, -1013, "Invalid quantity."),
    Refused("create_order", SPOT | {"quantity": "99999"}, -1013, "Filter failure: LOT_SIZE"),
    Refused("create_order", SPOT | {"price": "49000.001"}, -1013, "Filter failure: PRICE_FILTER"),
    Refused("create_order", SPOT | {"quantity": "0.0001"}, -1013, "Filter failure: NOTIONAL"),
    Refused(
        "create_order", SPOT | {"price": "500000"}, -1013, "Filter failure: PERCENT_PRICE_BY_SIDE"
    ),
    Refused(
        "create_order", SPOT | {"price": "1.123456789"}, -1111, "Precision is over the maximum"
    ),
    Refused("create_order", SPOT | {"side": "HOLD"}, -1117, "Invalid side."),
    Refused("create_order", SPOT | {"type": "GUESS"}, -1116, "Invalid orderType."),
    Refused("create_order", SPOT | {"timeInForce": "SOON"}, -1115, "Invalid timeInForce."),
    Refused("create_order", SPOT | {"symbol": "NOPE"}, -1121, "Invalid symbol."),
    Refused("create_order", BUY | {"price": "49000"}, -1102, "Mandatory parameter 'quantity'"),
    Refused(
        "create_order",
        SPOT | {"quantity": "5"},
        -2010,
        "Account has insufficient balance for requested action.",
    ),
    Refused(
        "create_order",
        MAKER | {"price": "50010"},
        -2010,
        "Order would immediately match and take.",
    ),
    Refused(
        "create_order",
        STOP | {"stopPrice": "52000"},
        -2010,
        "Stop price would trigger immediately.",
    ),
    Refused("create_order", SPOT | {"newClientOrderId": "taken"}, -2010, "Duplicate order sent."),
    Refused("cancel_order", PAIR | {"orderId": 999_999}, -2011, "Unknown order sent."),
    Refused("cancel_all_open_orders", {"symbol": "ETHUSDT"}, -2011, "Unknown order sent."),
    Refused("get_order", PAIR | {"orderId": 999_999}, -2013, "Order does not exist."),
    Refused(
        "cancel_replace_order",
        REPLACE | {"cancelOrderId": 999_999},
        -2022,
        "Order cancel-replace failed.",
    ),
    Refused("get_klines", PAIR | {"interval": "7m"}, -1120, "Invalid interval."),
    Refused("v3_get_order_list", {"orderListId": 999}, -2013, "Order list does not exist."),
)
MARGIN_REFUSED: Final = (
    Refused(
        "create_margin_loan",
        {"asset": "USDT", "amount": "90000000"},
        -3006,
        "Your borrow amount has exceed maximum borrow amount.",
    ),
    Refused(
        "repay_margin_loan",
        {"asset": "USDT", "amount": "1"},
        -3015,
        "Repay amount exceeds borrow amount.",
    ),
    Refused(
        "transfer_spot_to_margin",
        {"asset": "USDT", "amount": "99999999"},
        -3041,
        "Balance is not enough",
    ),
    Refused(
        "transfer_isolated_margin_to_spot",
        {"asset": "USDT", "symbol": "ETHUSDT", "amount": "1"},
        -11001,
        "Isolated margin account does not exist.",
    ),
    Refused(
        "create_margin_loan", {"asset": "NOPE", "amount": "1"}, -3027, "Not a valid margin asset."
    ),
    Refused("cancel_margin_order", PAIR | {"orderId": 999_999}, -2011, "Unknown order sent."),
    Refused("get_margin_order", PAIR | {"orderId": 999_999}, -2013, "Order does not exist."),
    Refused("make_universal_transfer", {"type": "MAIN_MOON"}, -1130, "Data sent for parameter"),
)
FUTURES_REFUSED: Final = (
    Refused("futures_create_order", FUTURE | {"quantity": "0"}, -4003, "Quantity less than"),
    Refused("futures_create_order", FUTURE | {"price": "49000.01"}, -1111, "Precision is over"),
    Refused("futures_create_order", FUTURE | {"quantity": "0.0001"}, -1111, "Precision is over"),
    Refused("futures_create_order", FUTURE | {"quantity": "30"}, -2019, "Margin is insufficient."),
    Refused("futures_create_order", FUTURE | {"price": "90000"}, -4016, "Limit price can't be"),
    Refused(
        "futures_create_order",
        FUTURE | {"symbol": "ETHUSDT", "quantity": "0.001", "price": "2400"},
        -4164,
        "Order's notional",
    ),
    Refused("futures_create_order", MARKET | {"reduceOnly": "true"}, -2022, "ReduceOnly Order"),
    Refused("futures_create_order", MARKET | {"positionSide": "LONG"}, -4061, "Order's position"),
    Refused(
        "futures_create_order",
        PAIR | {"side": "SELL", "type": "STOP_MARKET", "quantity": "0.01", "stopPrice": "52000"},
        -2021,
        "Order would immediately trigger.",
    ),
    Refused(
        "futures_create_order",
        FUTURE | {"price": "50010", "timeInForce": "GTX"},
        -5022,
        "Due to the order could not be executed as maker",
    ),
    Refused(
        "futures_create_order",
        FUTURE | {"price": "50010", "quantity": "1.5", "timeInForce": "FOK"},
        -5021,
        "Due to the order could not be filled immediately",
    ),
    Refused(
        "futures_create_order",
        FUTURE | {"newClientOrderId": "taken-too"},
        -4116,
        "ClientOrderId is duplicated.",
    ),
    Refused(
        "futures_change_leverage", PAIR | {"leverage": 500}, -4028, "Leverage 500 is not valid"
    ),
    Refused("futures_change_margin_type", PAIR | {"marginType": "CROSSED"}, -4046, "No need to"),
    Refused("futures_change_position_mode", {"dualSidePosition": "false"}, -4059, "No need to"),
    Refused("futures_change_position_mode", {"dualSidePosition": "true"}, -4067, "Position side"),
    Refused("futures_change_margin_type", PAIR | {"marginType": "ISOLATED"}, -4047, "Margin type"),
    Refused(
        "futures_change_position_margin",
        PAIR | {"amount": "1", "type": 1},
        -4054,
        "Cannot add position margin",
    ),
    Refused("futures_cancel_order", PAIR | {"orderId": 999_999}, -2011, "Unknown order sent."),
    Refused("futures_get_order", PAIR | {"orderId": 999_999}, -2013, "Order does not exist."),
    Refused("futures_cancel_algo_order", {"algoId": 999_999}, -2011, "Unknown order sent."),
    Refused("futures_order_book", {"symbol": "NOPE"}, -1121, "Invalid symbol."),
    Refused(
        "futures_coin_create_order",
        BUY | {"symbol": "BTCUSD_PERP", "quantity": "1", "price": "48000"},
        -2019,
        "Margin is insufficient.",
    ),
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def floor(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Venue]:
    async with venue(tmp_path_factory.mktemp("errors")) as found:
        for symbol in ("BTC-USDT", "BTC-USDT-PERP"):  # Stops compare with a last price.
            await found.trade(symbol, "50000", "0.001")
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(floor: Venue) -> AsyncIterator[AsyncClient]:
    """A client with coins, money on margin, and open orders called `taken` and `taken-too`."""
    async with python_binance(await floor.account(spot="BTC")) as found:
        await found.transfer_spot_to_margin(asset="USDT", amount="100")
        await found.create_order(**SPOT, newClientOrderId="taken")
        await found.futures_create_order(**FUTURE, newClientOrderId="taken-too")
        yield found


@pytest.mark.parametrize("case", [*SPOT_REFUSED, *MARGIN_REFUSED, *FUTURES_REFUSED], ids=str)
async def test_each_refusal_has_its_code_and_text(client: AsyncClient, case: Refused) -> None:
    with pytest.raises(BinanceAPIException) as refused:
        await getattr(client, case.method)(**case.fields)
    assert (refused.value.code, refused.value.status_code) == (case.code, 400)
    assert refused.value.message.startswith(case.text)


async def test_who_cannot_sign_is_refused(floor: Venue) -> None:
    trader = await floor.account()
    for settings, code, status in (
        ({"api_secret": "wrong"}, -1022, 400),
        ({"api_key": "a" * 64}, -2015, 401),
        ({"api_key": "not a key"}, -2014, 401),
    ):
        async with python_binance(trader, **settings) as client:
            with pytest.raises(BinanceAPIException) as refused:
                await client.get_account()
            assert (refused.value.code, refused.value.status_code) == (code, status)


async def test_a_clock_that_is_wrong_is_told(floor: Venue) -> None:
    async with floor.bot() as client:
        offset = client.timestamp_offset
        for wrong_ms, text in ((60_000, "1000ms ahead"), (-60_000, "outside of the recvWindow")):
            client.timestamp_offset = offset + wrong_ms
            with pytest.raises(BinanceAPIException) as refused:
                await client.get_account()
            assert refused.value.code == -1021
            assert text in refused.value.message


async def test_who_asks_too_much_is_told_when_to_come_back(tmp_path: Path) -> None:
    async with venue(tmp_path, spot_weight_per_minute=40) as floor, floor.bot() as client:
        await client.get_account()
        with pytest.raises(BinanceAPIException) as refused:
            await client.get_account()
        assert (refused.value.code, refused.value.status_code) == (-1003, 429)
        assert 0 < int(refused.value.response.headers["Retry-After"]) <= 60


async def test_who_orders_too_often_is_told_when_to_come_back(tmp_path: Path) -> None:
    async with venue(tmp_path, spot_orders_per_10_seconds=1) as floor, floor.bot() as client:
        await client.create_order(**SPOT)
        with pytest.raises(BinanceAPIException) as refused:
            await client.create_order(**SPOT)
        assert (refused.value.code, refused.value.status_code) == (-1015, 429)


async def test_strict_venues_want_conditional_orders_elsewhere(tmp_path: Path) -> None:
    async with venue(tmp_path, conditional_on_order=False) as floor, floor.bot() as client:
        stop = PAIR | {"side": "SELL", "quantity": "0.01", "stopPrice": "48000"}
        with pytest.raises(BinanceAPIException) as refused:  # As a client of old would send it.
            await client._request_futures_api(
                "post", "order", True, data=stop | {"type": "STOP_MARKET"}
            )
        assert refused.value.code == -4120
        placed = await client.futures_create_order(**stop, type="STOP_MARKET")
        assert placed["algoStatus"] == "NEW"
