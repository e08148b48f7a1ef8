"""What is refused on futures is raised by ccxt as the exception it has for it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import ccxt
import pytest
import pytest_asyncio

from tests.exchange.gateway.binance.clients.ccxt_futures import (
    FUTURES,
    LINEAR,
    Futures,
    by_product,
    ccxt_futures,
    funded,
)
from tests.exchange.gateway.binance.clients.venue import Venue, venue

pytestmark = pytest.mark.asyncio(loop_scope="module")

Wish = Callable[[Any, Futures], Awaitable[Any]]


class Case(NamedTuple):
    """What is refused with which code, and the exception for it. `before` is done first."""

    code: int
    kind: type[Exception]
    wish: Wish
    inverse: type[Exception] | None = None  # Where ccxt's class of COIN-M has another.
    before: Wish | None = None


def limit(price: float, times: float = 1, **params: Any) -> Wish:
    """A limit to buy at a price, of so many times the usual quantity."""
    return lambda client, futures: client.create_order(
        futures.unified, "limit", "buy", futures.qty * times, price, params
    )


def market(side: str, times: float = 1, **params: Any) -> Wish:
    """A market order; with a trigger, a conditional one."""
    return lambda client, futures: client.create_order(
        futures.unified, "market", side, futures.qty * times, None, params
    )


def raw(verb: str, path: str, **fields: Any) -> Wish:
    """A signed request as ccxt sends it, with fields it would not send."""

    def send(client: Any, futures: Futures) -> Any:
        api = "fapiPrivate" if futures is LINEAR else "dapiPrivate"
        asked = {name: value for name, value in fields.items() if value is not None}
        asked.setdefault("symbol", futures.name)
        method = f"{api}{verb.capitalize()}{path[0].upper()}{path[1:]}"
        return getattr(client, method)(asked)

    return send


def order(**fields: Any) -> Wish:
    """A limit to buy as it is sent, some of its fields otherwise; None leaves one out."""

    def send(client: Any, futures: Futures) -> Any:
        qty = "0.02" if futures is LINEAR else "20"
        usual = {"side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
        whole = {**usual, "quantity": qty, "price": "49000", **fields}
        return raw("POST", "order", **whole)(client, futures)

    return send


def each(*wishes: Wish) -> Wish:
    """One after the other."""

    async def run(client: Any, futures: Futures) -> None:
        for wish in wishes:
            await wish(client, futures)

    return run


def setting(name: str, *given: Any) -> Wish:
    """A setting of the contract."""
    return lambda client, futures: getattr(client, name)(*given, futures.unified)


async def edit_in_vain(client: Any, futures: Futures) -> None:
    """An edit that changes nothing."""
    placed = await limit(49_000)(client, futures)
    await client.edit_order(placed["id"], futures.unified, "limit", "buy", futures.qty, 49_000)


async def closing_stop(client: Any, futures: Futures) -> None:
    """A stop that closes whatever is held."""
    params = {"stopPrice": 45_000, "closePosition": True}
    await client.create_order(futures.unified, "STOP_MARKET", "sell", None, None, params)


isolated, hedged = setting("set_margin_mode", "isolated"), setting("set_position_mode", True)
resting, long = limit(49_000), market("buy")
CASES: Final[dict[str, Case]] = {
    "less margin than it needs": Case(
        -2019, ccxt.InsufficientFunds, limit(49_000, 300), before=setting("set_leverage", 1)
    ),
    "more than the leverage allows": Case(
        -2027,
        ccxt.OperationRejected,
        limit(49_000, 200),
        before=setting("set_leverage", 125),
    ),
    "reduce-only without a position": Case(
        -2022, ccxt.InvalidOrder, market("sell", reduceOnly=True)
    ),
    "a stop already reached": Case(
        -2021,
        ccxt.OrderImmediatelyFillable,
        market("buy", triggerPrice=49_000),
        before=long,
    ),
    "a fill-or-kill that cannot fill": Case(
        -5021, ccxt.OrderNotFillable, limit(49_000, timeInForce="FOK"), ccxt.ExchangeError
    ),
    "a post-only that takes": Case(
        -5022, ccxt.OrderNotFillable, limit(50_010, postOnly=True), ccxt.ExchangeError
    ),
    "a date too near": Case(
        -5040,
        ccxt.BadRequest,
        limit(49_000, timeInForce="GTD", goodTillDate=1_699_999_300_000),
        ccxt.ExchangeError,
    ),
    "no level to match": Case(
        -5041,
        ccxt.OperationFailed,
        order(price=None, priceMatch="QUEUE_20"),
        ccxt.ExchangeError,
    ),
    "an unknown prevention": Case(
        -5039, ccxt.BadRequest, order(selfTradePreventionMode="HOPE"), ccxt.ExchangeError
    ),
    "an unknown order": Case(
        -2013, ccxt.OrderNotFound, lambda client, its: client.fetch_order("999999", its.unified)
    ),
    "cancelling an unknown order": Case(
        -2011, ccxt.OrderNotFound, lambda client, its: client.cancel_order("999999", its.unified)
    ),
    "editing an unknown order": Case(
        -2013,
        ccxt.OrderNotFound,
        lambda client, its: client.edit_order(
            "999999", its.unified, "limit", "buy", its.qty, 48_000
        ),
    ),
    "an edit that changes nothing": Case(
        -5027, ccxt.OperationRejected, edit_in_vain, ccxt.ExchangeError
    ),
    "a client id in use": Case(
        -4116,
        ccxt.InvalidOrder,
        limit(48_000, clientOrderId="mine"),
        ccxt.ExchangeError,
        before=limit(49_000, clientOrderId="mine"),
    ),
    "a client id with blanks": Case(
        -4015,
        ccxt.BadRequest,
        order(newClientOrderId="not so"),
    ),
    "finer than the tick": Case(-1111, ccxt.BadRequest, order(price="49000.05")),
    "too many digits": Case(-1111, ccxt.BadRequest, order(price="49000.123456789")),
    "a price of nothing": Case(-4001, ccxt.BadRequest, order(price="0")),
    "a price beyond all bounds": Case(-4002, ccxt.BadRequest, order(price="10000000000")),
    "too far from the mark": Case(-4016, ccxt.BadRequest, limit(90_000)),
    "a quantity of nothing": Case(-4003, ccxt.BadRequest, order(quantity="0")),
    "a quantity beyond all bounds": Case(-4005, ccxt.BadRequest, order(quantity="10000000000")),
    "no price": Case(-1102, ccxt.BadRequest, order(price=None)),
    "a quantity in words": Case(-1102, ccxt.BadRequest, order(quantity="much")),
    "an unknown side": Case(-1117, ccxt.BadRequest, order(side="HOLD")),
    "an unknown type": Case(-1116, ccxt.BadRequest, order(type="WISH")),
    "an unknown time in force": Case(-1115, ccxt.BadRequest, order(timeInForce="EVER")),
    "a quantity for closing all": Case(
        -4137,
        ccxt.BadRequest,
        order(type="STOP_MARKET", price=None, stopPrice="45000", closePosition="true"),
    ),
    "closing all at a limit": Case(
        -4136,
        ccxt.InvalidOrder,
        order(quantity=None, closePosition="true"),
        ccxt.ExchangeError,
    ),
    "an unknown symbol": Case(-1121, ccxt.BadSymbol, order(symbol="NOPEUSDT")),
    "an unknown interval": Case(
        -1120, ccxt.BadRequest, lambda client, its: client.fetch_ohlcv(its.unified, "7m")
    ),
    "an unknown listenKey": Case(
        -1125, ccxt.AuthenticationError, raw("PUT", "listenKey", listenKey="nobodys")
    ),
    "a leverage beyond all": Case(-4028, ccxt.BadRequest, raw("POST", "leverage", leverage="126")),
    "the margin mode it is in": Case(
        -4046, ccxt.MarginModeAlreadySet, setting("set_margin_mode", "cross")
    ),
    "another margin mode with orders": Case(
        -4047, ccxt.OperationRejected, isolated, before=resting
    ),
    "another margin mode with a position": Case(
        -4048, ccxt.OperationRejected, isolated, before=long
    ),
    "the position mode it is in": Case(
        -4059, ccxt.OperationRejected, setting("set_position_mode", False)
    ),
    "another position mode with orders": Case(
        -4067, ccxt.OperationRejected, hedged, before=resting
    ),
    "another position mode with a position": Case(
        -4068, ccxt.OperationRejected, hedged, before=long
    ),
    "a side in one-way mode": Case(
        -4061, ccxt.OperationRejected, limit(49_000, positionSide="LONG")
    ),
    "no side in hedge mode": Case(-4061, ccxt.OperationRejected, resting, before=hedged),
    "margin for a cross position": Case(
        -4049,
        ccxt.BadRequest,
        lambda client, its: client.add_margin(its.unified, its.margin),
        before=long,
    ),
    "margin for no position": Case(
        -4054,
        ccxt.OperationRejected,
        lambda client, its: client.add_margin(its.unified, its.margin),
        before=isolated,
    ),
    "more margin than there is": Case(
        -4050,
        ccxt.InsufficientFunds,
        lambda client, its: client.add_margin(its.unified, 1_000_000),
        before=each(isolated, long),
    ),
    "more margin back than can be spared": Case(
        -4051,
        ccxt.InsufficientFunds,
        lambda client, its: client.reduce_margin(its.unified, 1_000),
        before=each(isolated, long),
    ),
    "a second stop that closes all": Case(
        -4130, ccxt.ExchangeError, closing_stop, before=each(long, closing_stop)
    ),
    "an empty batch": Case(-4082, ccxt.BadRequest, raw("POST", "batchOrders", batchOrders="[]")),
}
# What only USD-M has.
LINEAR_CASES: Final[dict[str, Case]] = {
    "a small order": Case(-4164, ccxt.InvalidOrder, order(quantity="0.001", price="4900")),
    "finer than the step": Case(-1111, ccxt.BadRequest, order(quantity="0.0205")),
    "isolated margin beside many assets": Case(
        -4168,
        ccxt.BadRequest,
        isolated,
        before=raw("POST", "multiAssetsMargin", multiAssetsMargin="true"),
    ),
    "many assets beside isolated margin": Case(
        -4167,
        ccxt.BadRequest,
        raw("POST", "multiAssetsMargin", multiAssetsMargin="true"),
        before=isolated,
    ),
    "the asset mode it is in": Case(
        -4171,
        ccxt.OperationRejected,
        raw("POST", "multiAssetsMargin", multiAssetsMargin="false"),
    ),
}


class Traded(NamedTuple):
    """The venue, and a client of each product, which takes the key of one account after another."""

    venue: Venue
    clients: dict[str, Any]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def traded(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Traded]:
    async with contextlib.AsyncExitStack() as stack:
        found = await stack.enter_async_context(venue(tmp_path_factory.mktemp("venue")))
        clients: dict[str, Any] = {}
        for futures in FUTURES:
            client = ccxt_futures(futures, "ccxt.async_support", await funded(found))
            clients[futures.product] = await stack.enter_async_context(client)
            await clients[futures.product].load_markets()
        yield Traded(found, clients)


async def raised(traded: Traded, futures: Futures, case: Case) -> None:
    """A new account does what comes before; then what it wishes is refused so."""
    trader = await funded(traded.venue)
    client = traded.clients[futures.product]
    client.apiKey, client.secret = trader.key, trader.secret
    if case.before is not None:
        await case.before(client, futures)
    kind = case.kind if futures is LINEAR else case.inverse or case.kind
    with pytest.raises(ccxt.BaseError) as refusal:
        await case.wish(client, futures)
    assert f'"code":{case.code},' in str(refusal.value)
    assert type(refusal.value) is kind


@by_product
@pytest.mark.parametrize("name", CASES)
async def test_a_refusal_is_an_exception_of_its_kind(
    traded: Traded, futures: Futures, name: str
) -> None:
    await raised(traded, futures, CASES[name])


@pytest.mark.parametrize("name", LINEAR_CASES)
async def test_a_refusal_of_usd_m_alone_is_an_exception_of_its_kind(
    traded: Traded, name: str
) -> None:
    await raised(traded, LINEAR, LINEAR_CASES[name])


@by_product
async def test_signatures_keys_and_moments(traded: Traded, futures: Futures) -> None:
    async with ccxt_futures(futures, "ccxt.async_support", await funded(traded.venue)) as client:
        await client.load_markets()
        key, secret = client.apiKey, client.secret
        client.secret = "wrong"
        with pytest.raises(ccxt.AuthenticationError, match="-1022"):
            await client.fetch_balance()
        client.apiKey, client.secret = "A" * 64, secret
        with pytest.raises(ccxt.AuthenticationError, match="-2015"):
            await client.fetch_balance()
        client.apiKey = "?"
        with pytest.raises(ccxt.AuthenticationError, match="-2014"):
            await client.fetch_balance()
        client.apiKey = key
        client.options["timeDifference"] = 3_600_000
        with pytest.raises(ccxt.InvalidNonce, match="-1021"):
            await client.fetch_balance()
        client.options["timeDifference"] = 0
        assert await client.fetch_balance()


async def test_too_many_orders_are_told_by_the_status(tmp_path: Path) -> None:
    async with venue(tmp_path, futures_orders_per_10_seconds=2) as found:
        for futures in FUTURES:
            async with ccxt_futures(futures, "ccxt.async_support", await funded(found)) as client:
                for _ in range(2):
                    await limit(49_000)(client, futures)
                with pytest.raises(ccxt.DDoSProtection, match="-1015"):
                    await limit(49_000)(client, futures)


async def test_too_many_requests_are_told_by_the_status(tmp_path: Path) -> None:
    async with venue(tmp_path, futures_weight_per_minute=60) as found:
        for futures in FUTURES:
            trader = await funded(found)
            async with ccxt_futures(futures, "ccxt.async_support", trader) as client:
                await client.load_markets()

                async def ask(client: Any = client, symbol: str = futures.unified) -> None:
                    for _ in range(60):  # Of weight 1 at least, and 60 may be spent.
                        await client.fetch_ticker(symbol)

                with pytest.raises(ccxt.DDoSProtection, match="-1003"):
                    await ask()
