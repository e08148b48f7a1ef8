"""The official SDK orders over the WebSocket API and reads streams here unchanged."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from operator import attrgetter
from typing import Any, Final, NamedTuple

import pytest
import pytest_asyncio
from binance_common.configuration import ConfigurationWebSocketAPI, ConfigurationWebSocketStreams
from binance_sdk_spot.spot import Spot

from tests.exchange.gateway.binance.clients.test_sdk_spot import (
    LIMIT,
    MINUTES,
    OCO,
    OLD_OCO,
    OTO,
    OTOCO,
    PAIR,
    WORKING,
)
from tests.exchange.gateway.binance.clients.venue import WITHIN_S, Venue, venue
from tests.exchange.gateway.rig import START_MS, Trader

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.filterwarnings("ignore:parameter 'timeout':DeprecationWarning"),  # Its own.
]

LOWER: Final = {"symbol": "btcusdt"}


class Asked(NamedTuple):
    """A method, what it is asked with, and what must hold of its result."""

    method: str
    fields: dict[str, Any]
    holds: Callable[[Any], bool]

    def __str__(self) -> str:
        return self.method


ASKED: Final = (
    Asked("websocket_api.time", {}, lambda said: said.server_time > START_MS),
    Asked("websocket_api.ping", {}, lambda said: said == {}),
    Asked("websocket_api.depth", PAIR, lambda said: float(said.asks[0][0]) == 50_010),
    Asked("websocket_api.trades_recent", PAIR, lambda said: [each.id for each in said] == [1, 2]),
    Asked("websocket_api.trades_historical", PAIR, lambda said: said[0].qty == "0.50000000"),
    Asked("websocket_api.trades_aggregate", PAIR, lambda said: [each.a for each in said] == [1, 2]),
    Asked("websocket_api.klines", MINUTES, lambda said: said[0][0] == START_MS),
    Asked("websocket_api.ui_klines", MINUTES, lambda said: said[0][8] == 2),
    Asked("websocket_api.avg_price", PAIR, lambda said: float(said.price) == 50_002),
    Asked("websocket_api.ticker", PAIR, lambda said: said.count == 2),
    Asked("websocket_api.ticker24hr", PAIR, lambda said: float(said.price_change) == 6),
    Asked("websocket_api.ticker_trading_day", PAIR, lambda said: float(said.volume) == 0.75),
    Asked("websocket_api.ticker_price", PAIR, lambda said: float(said.price) == 50_006),
    Asked("websocket_api.ticker_book", PAIR, lambda said: float(said.bid_price) == 49_990),
    Asked("websocket_api.account_status", {}, lambda said: said.can_trade is True),
    Asked(
        "websocket_api.account_commission",
        PAIR,
        lambda said: float(said.standard_commission.taker) == 0.001,
    ),
    Asked("websocket_api.account_rate_limits_orders", {}, lambda said: said[0].interval_num == 10),
    Asked("websocket_api.my_allocations", PAIR, lambda said: said == []),
    Asked("websocket_api.session_status", {}, lambda said: said.api_key is None),
)
ABSENT: Final[dict[str, dict[str, Any]]] = {
    "websocket_api.my_filters": PAIR,
    "websocket_api.my_prevented_matches": PAIR | {"order_id": 1},
    "websocket_api.order_amendments": PAIR | {"order_id": 1},
    "websocket_api.execution_rules": {},
    "websocket_api.reference_price": PAIR,
    "websocket_api.reference_price_calculation": PAIR,
    "websocket_api.block_trades_historical": PAIR | {"from_id": 1},
    "websocket_api.order_list_place_opo": WORKING
    | {"pending_type": "LIMIT_MAKER", "pending_price": 52_000},
    "websocket_api.order_list_place_opoco": WORKING
    | {"pending_above_type": "LIMIT_MAKER", "pending_above_price": 52_000},
    "websocket_api.sor_order_place": PAIR | {"side": "BUY", "type": "LIMIT", "quantity": 0.01},
    "websocket_api.sor_order_test": PAIR | {"side": "BUY", "type": "LIMIT", "quantity": 0.01},
}
STREAMS: Final = (
    Asked("websocket_streams.trade", LOWER, lambda said: said.e == "trade"),
    Asked("websocket_streams.agg_trade", LOWER, lambda said: said.e == "aggTrade"),
    Asked("websocket_streams.kline", LOWER | {"interval": "1m"}, lambda said: said.k.i == "1m"),
    Asked("websocket_streams.mini_ticker", LOWER, lambda said: said.e == "24hrMiniTicker"),
    Asked("websocket_streams.ticker", LOWER, lambda said: said.e == "24hrTicker"),
    Asked("websocket_streams.all_mini_ticker", {}, lambda said: said[0].e == "24hrMiniTicker"),
    Asked("websocket_streams.book_ticker", LOWER, lambda said: float(said.b) < float(said.a)),
    Asked("websocket_streams.diff_book_depth", LOWER, lambda said: said.e == "depthUpdate"),
    Asked(
        "websocket_streams.partial_book_depth",
        LOWER | {"levels": "5"},
        lambda said: float(said.bids[0][0]) == 49_990,
    ),
    Asked("websocket_streams.avg_price", LOWER, lambda said: said.e == "avgPrice"),
    Asked(
        "websocket_streams.rolling_window_ticker",
        LOWER | {"window_size": "1h"},
        lambda said: said.e == "1hTicker",
    ),
    Asked(
        "websocket_streams.all_market_rolling_window_ticker",
        {"window_size": "1h"},
        lambda said: said[0].e == "1hTicker",
    ),
)
SILENT: Final[dict[str, dict[str, Any]]] = {
    "websocket_streams.block_trade": LOWER,
    "websocket_streams.reference_price": LOWER,
    "websocket_streams.kline_offset": LOWER | {"interval": "1m"},
}


def sdk(trader: Trader) -> Spot:
    """The official client with an account's key, and its sockets' addresses."""
    url = trader.rig.url.replace("http", "ws", 1)
    api = ConfigurationWebSocketAPI(trader.key, trader.secret, stream_url=f"{url}/ws-api/v3")
    streams = ConfigurationWebSocketStreams(stream_url=url)
    return Spot(config_ws_api=api, config_ws_streams=streams)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def floor(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Venue]:
    async with venue(tmp_path_factory.mktemp("sdk-ws")) as found:
        for price, qty in (("50000", "0.5"), ("50006", "0.25")):
            await found.trade("BTC-USDT", price, qty)
        await found.pass_time(60_000)
        await found.kept()
        yield found


@pytest_asyncio.fixture(loop_scope="module")
async def spot(floor: Venue) -> AsyncIterator[Spot]:
    """A client whose WebSocket API is connected."""
    found = sdk(await floor.account(spot="BTC"))
    await found.websocket_api.create_connection()
    yield found
    await found.websocket_api.close_connection()


async def told(spot: Spot, method: str, **fields: Any) -> Any:
    """The result that a method answers, as its model."""
    said = (await attrgetter(method)(spot)(**fields)).data()
    said = getattr(said, "actual_instance", None) or said
    return said.result


class Heard:
    """What a stream tells, awaited."""

    def __init__(self) -> None:
        self.messages: asyncio.Queue[Any] = asyncio.Queue()

    async def until(self, holds: Callable[[Any], bool]) -> Any:
        """The first message of which something holds."""

        async def listen() -> Any:
            while not holds(said := await self.messages.get()):
                pass
            return said

        return await asyncio.wait_for(listen(), WITHIN_S)


async def test_what_it_is_told_fits_its_models(spot: Spot) -> None:
    for asked in ASKED:
        assert asked.holds(await told(spot, asked.method, **asked.fields)), asked.method


async def test_rules_of_the_market_are_beside_its_model(spot: Spot) -> None:
    # Its model of this answer has no place for the result, which it keeps as it came.
    said = (await spot.websocket_api.exchange_info(symbol="BTCUSDT")).data()
    assert said.additional_properties["result"]["symbols"][0]["symbol"] == "BTCUSDT"


async def test_an_order_is_tried_placed_amended_replaced_and_cancelled(spot: Spot) -> None:
    assert await told(spot, "websocket_api.order_test", **LIMIT) is not None
    placed = await told(spot, "websocket_api.order_place", **LIMIT)
    name = PAIR | {"order_id": placed.order_id}
    amended = await told(spot, "websocket_api.order_amend_keep_priority", **name, new_qty=0.01)
    assert amended.amended_order.qty == "0.01000000"
    assert (await told(spot, "websocket_api.order_status", **name)).status == "NEW"
    replaced = await told(
        spot,
        "websocket_api.order_cancel_replace",
        **(LIMIT | {"price": 48_000}),
        cancel_replace_mode="STOP_ON_FAILURE",
        cancel_order_id=placed.order_id,
    )
    assert replaced.cancel_result == replaced.new_order_result == "SUCCESS"
    (opened,) = await told(spot, "websocket_api.open_orders_status", **PAIR)
    assert opened.price == "48000.00000000"
    gone = await told(spot, "websocket_api.order_cancel", **PAIR, order_id=opened.order_id)
    assert gone.status == "CANCELED"
    await told(spot, "websocket_api.order_place", **LIMIT)
    (last,) = await told(spot, "websocket_api.open_orders_cancel_all", **PAIR)
    assert last.status == "CANCELED"


async def test_what_was_filled_is_told(floor: Venue, spot: Spot) -> None:
    bought = await told(
        spot, "websocket_api.order_place", **PAIR, side="BUY", type="MARKET", quantity=0.01
    )
    assert bought.fills[0].price == "50010.00000000"
    await floor.kept()
    (trade,) = await told(spot, "websocket_api.my_trades", **PAIR)
    (order,) = await told(spot, "websocket_api.all_orders", **PAIR)
    assert trade.order_id == order.order_id == bought.order_id


async def test_lists_are_placed_found_and_cancelled(floor: Venue, spot: Spot) -> None:
    for method, wish, legs in (
        ("websocket_api.order_list_place_oco", OCO, 2),
        ("websocket_api.order_list_place", OLD_OCO, 2),
        ("websocket_api.order_list_place_oto", OTO, 2),
        ("websocket_api.order_list_place_otoco", OTOCO, 3),
    ):
        placed = await told(spot, method, **wish)
        name = {"order_list_id": placed.order_list_id}
        assert len(placed.orders) == legs
        found = await told(spot, "websocket_api.order_list_status", **name)
        assert found.list_order_status == "EXECUTING"
        (opened,) = await told(spot, "websocket_api.open_order_lists_status")
        assert opened.order_list_id == placed.order_list_id
        gone = await told(spot, "websocket_api.order_list_cancel", **PAIR, **name)
        assert gone.list_order_status == "ALL_DONE"
    await floor.kept()
    assert len(await told(spot, "websocket_api.all_order_lists")) == 4


async def test_a_message_of_ones_own_is_sent_and_signed(spot: Spot) -> None:
    price = await spot.websocket_api.send_message({"method": "ticker.price", "params": dict(PAIR)})
    assert price.data()["result"]["symbol"] == "BTCUSDT"
    own = await spot.websocket_api.send_signed_message({"method": "account.status", "params": {}})
    assert own.data()["result"]["accountType"] == "SPOT"


async def test_a_refusal_is_told_as_the_error_it_is(spot: Spot) -> None:
    for method, fields, code in (
        ("websocket_api.order_cancel", PAIR | {"order_id": 999_999}, -2011),
        ("websocket_api.order_place", LIMIT | {"quantity": 9}, -2010),
        *((method, fields, -1020) for method, fields in ABSENT.items()),
    ):
        said = (await attrgetter(method)(spot)(**fields)).data()
        assert said["error"]["code"] == code, method


async def test_a_session_listens_to_its_account_until_it_logs_out(spot: Spot) -> None:
    heard = Heard()
    assert (await spot.websocket_api.session_logon()).data().result.api_key
    feed = await spot.websocket_api.user_data_stream_subscribe()
    feed.stream.on("message", heard.messages.put_nowait)
    (held,) = (await spot.websocket_api.session_subscriptions()).data().result
    assert held.subscription_id == feed.response.data().result.subscription_id
    placed = await told(spot, "websocket_api.order_place", **LIMIT)
    said = await heard.until(lambda each: getattr(each.actual_instance, "i", 0) == placed.order_id)
    assert said.actual_instance.x == "NEW"
    await spot.websocket_api.session_logout()
    assert (await spot.websocket_api.session_subscriptions()).data().result == []


@pytest.mark.parametrize("logged_on", [False, True])
async def test_a_subscription_by_signature_tells_and_ends(spot: Spot, logged_on: bool) -> None:
    heard = Heard()
    if logged_on:  # Then it leaves its signature out.
        await spot.websocket_api.session_logon()
    feed = await spot.websocket_api.user_data_stream_subscribe_signature()
    feed.stream.on("message", heard.messages.put_nowait)
    placed = await told(spot, "websocket_api.order_place", **LIMIT)
    await heard.until(lambda each: getattr(each.actual_instance, "i", 0) == placed.order_id)
    await spot.websocket_api.user_data_stream_unsubscribe()
    assert (await spot.websocket_api.session_subscriptions()).data().result == []


async def test_each_stream_is_told_in_its_models(floor: Venue) -> None:
    spot = sdk(await floor.account())
    await spot.websocket_streams.create_connection()

    async def listen(method: str, fields: dict[str, Any]) -> Heard:
        heard, handle = Heard(), await attrgetter(method)(spot)(**fields)
        handle.on("message", heard.messages.put_nowait)
        return heard

    plain = Heard()  # By its name alone, without a model.
    await spot.websocket_streams.subscribe(["ethusdt@depth"])
    spot.websocket_streams.on("message", plain.messages.put_nowait, "ethusdt@depth")

    named = [(asked.method, asked.fields) for asked in STREAMS]
    feeds = await asyncio.gather(*(listen(*each) for each in (*named, *SILENT.items())))
    told = asyncio.gather(
        *(feed.until(asked.holds) for feed, asked in zip(feeds, STREAMS, strict=False))
    )
    while not told.done():
        await floor.trade("BTC-USDT", "50000", "0.001")
        await floor.pass_time(1_000)
    await told
    assert all(feed.messages.empty() for feed in feeds[len(STREAMS) :])
    names = (await spot.websocket_streams.list_subscribe())["result"]
    assert len(names) == len(feeds) + 1
    await floor.maker.order("ETH-USDT", "buy", "0.1", price="2400")
    assert (await plain.until(bool))["data"]["s"] == "ETHUSDT"
    await spot.websocket_streams.unsubscribe(["btcusdt@trade"])
    names = (await spot.websocket_streams.list_subscribe())["result"]
    assert "btcusdt@trade" not in names
    await spot.websocket_streams.close_connection()


async def test_a_listen_key_is_a_stream_as_any_other(floor: Venue) -> None:
    async with floor.bot() as client:
        spot, heard = sdk(await floor.account()), Heard()
        await spot.websocket_streams.create_connection()
        feed = await spot.websocket_streams.user_data(await client.stream_get_listen_key())
        feed.on("message", heard.messages.put_nowait)
        placed = await client.order_limit_buy(symbol="BTCUSDT", quantity="0.01", price="49000")
        await heard.until(lambda each: getattr(each.actual_instance, "i", 0) == placed["orderId"])
        await feed.unsubscribe()
        await spot.websocket_streams.close_connection()
