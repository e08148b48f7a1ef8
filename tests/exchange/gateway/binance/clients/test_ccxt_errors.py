"""What is refused here is raised by ccxt as the exception it has for it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import ccxt
import pytest
import pytest_asyncio

from exchange.gateway import auth
from tests.exchange.gateway.binance.clients.ccxt_drivers import (
    SPOT,
    Library,
    by_both,
    ccxt_rest,
)
from tests.exchange.gateway.binance.clients.pointing import ccxt_client
from tests.exchange.gateway.binance.clients.venue import Venue, venue
from tests.exchange.gateway.rig import ADMIN_KEY

pytestmark = pytest.mark.asyncio(loop_scope="module")

ETH: Final = "ETH/USDT"
Wish = Callable[[Any], Awaitable[Any]]


def limit(amount: float, price: float, **more: Any) -> Wish:
    """An order to buy."""
    return lambda client: client.create_order(SPOT, "limit", "buy", amount, price, more)


def raw(method: str, **fields: Any) -> Wish:
    """A method that ccxt makes of an endpoint, with fields as they are sent."""
    return lambda client: getattr(client, method)(fields)


ORDER: Final = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
CASES: Final[dict[str, tuple[type[Exception], str, Wish]]] = {
    "more than there is": (ccxt.InsufficientFunds, "insufficient balance", limit(100, 49_000)),
    "too many": (ccxt.InvalidOrder, "LOT_SIZE", limit(50_000, 1_000)),
    "too few": (ccxt.InvalidOrder, "minimum amount precision", limit(0.000001, 49_000)),
    "off the price's range": (ccxt.InvalidOrder, "PRICE_FILTER", limit(0.01, 10**9)),
    "off the band": (ccxt.InvalidOrder, "PERCENT_PRICE_BY_SIDE", limit(0.001, 900_000)),
    "too little money": (ccxt.BadRequest, "NOTIONAL", limit(0.00001, 49_000)),
    "post-only that takes": (
        ccxt.OrderImmediatelyFillable,
        "immediately match",
        limit(0.01, 50_010, postOnly=True),
    ),
    "a stop already reached": (
        ccxt.OrderImmediatelyFillable,
        "trigger immediately",
        limit(0.01, 49_000, stopLossPrice=49_000),
    ),
    "an unknown order": (
        ccxt.OrderNotFound,
        "-2013",
        lambda client: client.fetch_order("999999", SPOT),
    ),
    "cancelling an unknown order": (
        ccxt.OrderNotFound,
        "-2011",
        lambda client: client.cancel_order("999999", SPOT),
    ),
    "cancelling all of none": (
        ccxt.OrderNotFound,
        "-2011",
        lambda client: client.cancel_all_orders(SPOT),
    ),
    "editing an unknown order": (
        ccxt.BadResponse,
        "-2022",
        lambda client: client.edit_order("999999", SPOT, "limit", "buy", 0.01, 48_000),
    ),
    "a market unknown to ccxt": (
        ccxt.BadSymbol,
        "does not have market symbol",
        lambda client: client.fetch_ticker("NOPE/USDT"),
    ),
    "a symbol unknown here": (
        ccxt.BadSymbol,
        "-1121",
        raw("public_get_ticker_price", symbol="NOPEUSDT"),
    ),
    "no price": (ccxt.BadRequest, "-1102", raw("private_post_order", **ORDER, quantity="1")),
    "too many digits": (
        ccxt.BadRequest,
        "-1111",
        raw("private_post_order", **ORDER, quantity="0.0123456789", price="49000"),
    ),
    "an unknown side": (
        ccxt.BadRequest,
        "-1117",
        raw("private_post_order", **{**ORDER, "side": "HOLD"}, quantity="1", price="49000"),
    ),
    "an unknown type": (
        ccxt.BadRequest,
        "-1116",
        raw("private_post_order", **{**ORDER, "type": "WISH"}, quantity="1", price="49000"),
    ),
    "an unknown time in force": (
        ccxt.BadRequest,
        "-1115",
        raw("private_post_order", **{**ORDER, "timeInForce": "EVER"}, quantity="1", price="49000"),
    ),
    "illegal characters": (
        ccxt.BadRequest,
        "-1100",
        raw("private_post_order", **ORDER, quantity="much", price="49000"),
    ),
    "an unknown interval": (
        ccxt.BadRequest,
        "-1120",
        lambda client: client.fetch_ohlcv(SPOT, "7m"),
    ),
    "too wide a window": (
        ccxt.BadRequest,
        "-1131",
        lambda client: client.fetch_balance({"recvWindow": 60_001}),
    ),
    "an unknown listenKey": (
        ccxt.AuthenticationError,
        "-1125",
        raw("public_put_userdatastream", listenKey="unknown"),
    ),
    "no symbol": (ccxt.ArgumentsRequired, "symbol", lambda client: client.fetch_orders()),
    "what ccxt has for contracts alone": (
        ccxt.NotSupported,
        "spot",
        lambda client: client.create_orders(
            [{"symbol": SPOT, "type": "limit", "side": "buy", "amount": 1, "price": 49_000}]
        ),
    ),
    "a path that is not served": (
        ccxt.ExchangeError,
        "-5000",
        lambda client: client.withdraw("BTC", 1, "an-address-somewhere"),
    ),
    "a transfer of more than there is": (
        ccxt.InsufficientFunds,
        "-3041",
        lambda client: client.transfer("USDT", 10**6, "spot", "margin"),
    ),
    "a loan beyond the collateral": (
        ccxt.BadRequest,
        "-3006",
        lambda client: client.borrow_cross_margin("USDT", 10**6),
    ),
    "repaying what is not owed": (
        ccxt.BadRequest,
        "-3015",
        lambda client: client.repay_cross_margin("USDT", 10),
    ),
    "a margin asset there is not": (
        ccxt.BadSymbol,
        "-3027",
        raw("sapi_get_margin_maxborrowable", asset="NOPE"),
    ),
    "an isolated account there is not": (
        ccxt.ExchangeError,
        "-11001",
        lambda client: client.borrow_isolated_margin(SPOT, "USDT", 10),
    ),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def market(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Venue]:
    async with venue(tmp_path_factory.mktemp("venue")) as found:
        taker = await found.account()
        await taker.order("BTC-USDT", "buy", "0.01")  # A price to measure stops and bands by.
        yield found


@by_both
async def test_each_refusal_is_an_exception_of_its_kind(market: Venue, library: Library) -> None:
    async with ccxt_rest(library, await market.account()) as client:
        for name, (kind, text, wish) in CASES.items():
            with pytest.raises(kind, match=text) as raised:
                await wish(client)
            assert raised.type is kind, name


@by_both
async def test_a_name_that_an_open_order_has(market: Venue, library: Library) -> None:
    async with ccxt_rest(library, await market.account()) as client:
        await limit(0.01, 48_000, clientOrderId="mine")(client)
        # ccxt has an exception for this, but does not raise it for this exchange.
        with pytest.raises(ccxt.InvalidOrder, match="Duplicate order sent"):
            await limit(0.01, 48_000, clientOrderId="mine")(client)
        await client.cancel_all_orders(SPOT)


@by_both
async def test_keys_and_signatures(market: Venue, library: Library) -> None:
    trader = await market.account()
    async with ccxt_rest(library, trader, secret="wrong") as client:
        with pytest.raises(ccxt.AuthenticationError, match="-1022"):
            await client.private_get_account()
    for key, code in (("x" * 64, "-2015"), ("not a key!", "-2014")):
        async with ccxt_rest(library, trader, apiKey=key) as client:
            with pytest.raises(ccxt.AuthenticationError, match=code):
                await client.private_get_account()
    async with ccxt_rest(library, trader, apiKey="", secret="") as client:
        with pytest.raises(ccxt.AuthenticationError, match="requires"):
            await client.private_get_account()


@by_both
async def test_a_key_that_may_only_read(market: Venue, library: Library) -> None:
    trader = await market.account()
    made = await trader.ask("POST", "/v1/keys", {"permissions": ["read"]})
    said = made.json
    reader = {"apiKey": said["api_key"], "secret": said["api_secret"]}
    async with ccxt_rest(library, trader, **reader) as client:
        with pytest.raises(ccxt.AuthenticationError, match="-2015"):
            await raw("private_post_order", **ORDER, quantity="0.01", price="49000")(client)
        assert (await client.fetch_balance())["USDT"]["free"] == 100_000
        # After a success ccxt takes the same answer for a ban, as Binance words both alike.
        with pytest.raises(ccxt.DDoSProtection, match="-2015"):
            await limit(0.01, 49_000)(client)


@by_both
async def test_a_clock_that_goes_wrong(market: Venue, library: Library) -> None:
    for wrong_ms in (60_000, -60_000):
        late = {"options": {"timeDifference": wrong_ms}}
        async with ccxt_rest(library, await market.account(), **late) as client:
            with pytest.raises(ccxt.InvalidNonce, match="-1021"):
                await client.private_get_account()


@by_both
async def test_a_market_that_is_closed(market: Venue, library: Library) -> None:
    async def state(word: str) -> None:
        path = "/v1/admin/symbols/ETH-USDT/state"
        headers = {auth.ADMIN_HEADER: ADMIN_KEY}
        answer = await market.rig.ask("POST", path, {"state": word}, headers=headers)
        assert answer.status == 200, answer.body

    async with ccxt_rest(library, await market.account()) as client:
        await client.load_markets()
        await state("halt")
        with pytest.raises(ccxt.MarketClosed, match="Market is closed"):
            await client.create_order(ETH, "limit", "buy", 0.1, 2_400)
        await state("trading")
        order = await client.create_order(ETH, "limit", "buy", 0.1, 2_400)
        await client.cancel_order(order["id"], ETH)


@by_both
async def test_limits_of_weight_and_of_orders(tmp_path: Path, library: Library) -> None:
    limits = {"spot_orders_per_10_seconds": 2, "margin_weight_per_minute": 30}
    async with (
        venue(tmp_path, **limits) as market,
        ccxt_rest(library, await market.account()) as client,
    ):
        for _ in range(2):
            await limit(0.01, 48_000)(client)
        with pytest.raises(ccxt.DDoSProtection, match="-1015"):
            await limit(0.01, 48_000)(client)
        for _ in range(2):  # Loading the markets has weighed 12; each of these weighs 10.
            with contextlib.suppress(ccxt.DDoSProtection):
                await client.sapi_get_margin_account()
        with pytest.raises(ccxt.DDoSProtection, match="-1003"):
            await client.sapi_get_margin_account()
        await client.cancel_all_orders(SPOT)


@by_both
async def test_nobody_at_the_address(market: Venue, library: Library) -> None:
    async with ccxt_rest(library, await market.account()) as client:
        await client.load_markets()
        client.urls["api"]["public"] = "http://127.0.0.1:1/api/v3"
        with pytest.raises(ccxt.NetworkError):
            await client.fetch_time()


WS_CASES: Final[dict[str, tuple[type[Exception], str, Wish]]] = {
    "more than there is": (
        ccxt.InsufficientFunds,
        "insufficient balance",
        lambda client: client.create_order_ws(SPOT, "limit", "buy", 100, 49_000),
    ),
    "post-only that takes": (
        ccxt.OrderImmediatelyFillable,
        "immediately match",
        lambda client: client.create_order_ws(
            SPOT, "limit", "buy", 0.01, 50_010, {"postOnly": True}
        ),
    ),
    "an unknown order": (
        ccxt.OrderNotFound,
        "-2013",
        lambda client: client.fetch_order_ws("999999", SPOT),
    ),
    "cancelling an unknown order": (
        ccxt.OrderNotFound,
        "-2011",
        lambda client: client.cancel_order_ws("999999", SPOT),
    ),
    "too little money": (
        ccxt.BadRequest,
        "NOTIONAL",
        lambda client: client.create_order_ws(SPOT, "limit", "buy", 0.00001, 49_000),
    ),
}


async def test_refusals_over_the_websocket_api(market: Venue) -> None:
    trader = await market.account()
    async with ccxt_client("binance", trader) as client:
        for name, (kind, text, wish) in WS_CASES.items():
            with pytest.raises(kind, match=text) as raised:
                await wish(client)
            assert raised.type is kind, name
    async with ccxt_client("binance", trader) as client:
        await client.load_markets()
        client.secret = "wrong"
        with pytest.raises(ccxt.AuthenticationError, match="-1022"):
            await client.fetch_balance_ws()


async def test_a_limit_over_the_websocket_api(tmp_path: Path) -> None:
    async with (
        venue(tmp_path, spot_orders_per_10_seconds=1) as market,
        ccxt_client("binance", await market.account()) as client,
    ):
        await client.create_order_ws(SPOT, "limit", "buy", 0.01, 48_000)
        with pytest.raises(ccxt.RateLimitExceeded, match="-1015"):
            await client.create_order_ws(SPOT, "limit", "buy", 0.01, 48_000)
