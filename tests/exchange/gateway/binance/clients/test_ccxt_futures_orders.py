"""ccxt places, finds, edits and cancels orders on futures here unchanged, of every type."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import ccxt
import pytest
import pytest_asyncio

from tests.exchange.gateway.binance.clients.ccxt_drivers import Library
from tests.exchange.gateway.binance.clients.ccxt_futures import (
    LINEAR,
    Futures,
    by_each,
    by_product,
    ccxt_futures,
    funded,
)
from tests.exchange.gateway.binance.clients.venue import Venue, venue

pytestmark = pytest.mark.asyncio(loop_scope="module")

ASYNC: Library = "ccxt.async_support"
DAY_MS = 86_400_000


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def market(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Venue]:
    async with venue(tmp_path_factory.mktemp("venue")) as found:
        yield found


async def statuses(client: Any, symbol: str, *ids: str) -> list[str]:
    """What became of orders."""
    return [(await client.fetch_order(order_id, symbol))["status"] for order_id in ids]


@by_each
async def test_limits_and_markets_are_placed_found_and_cancelled(
    market: Venue, futures: Futures, library: Library
) -> None:
    symbol, qty = futures.unified, futures.qty
    async with ccxt_futures(futures, library, await funded(market)) as client:
        resting = await client.create_order(symbol, "limit", "buy", qty, 49_000)
        assert (resting["status"], resting["filled"], resting["price"]) == ("open", 0, 49_000)
        bought = await client.create_order(symbol, "market", "buy", qty)
        assert (bought["status"], bought["filled"]) == ("closed", qty)
        assert bought["average"] == 50_010
        client.options["fetchOpenOrders"]["warnWithoutSymbol"] = False
        for found in (
            await client.fetch_open_orders(symbol),
            await client.fetch_open_orders(),
            [await client.fetch_open_order(resting["id"], symbol)],
        ):
            assert [each["id"] for each in found] == [resting["id"]]
        found = await client.fetch_order(bought["id"], symbol)
        assert (found["type"], found["average"], found["amount"]) == ("market", 50_010, qty)
        by_name = {"origClientOrderId": resting["clientOrderId"]}
        assert (await client.fetch_order(None, symbol, by_name))["id"] == resting["id"]
        cancelled = await client.cancel_order(resting["id"], symbol)
        assert cancelled["status"] == "canceled"
        await market.kept()
        orders = await client.fetch_orders(symbol)
        assert [each["id"] for each in orders] == [resting["id"], bought["id"]]
        (closed,) = await client.fetch_closed_orders(symbol)
        (gone,) = await client.fetch_canceled_orders(symbol)
        assert (closed["id"], gone["id"]) == (bought["id"], resting["id"])
        assert len(await client.fetch_canceled_and_closed_orders(symbol)) == 2
        (trade,) = await client.fetch_my_trades(symbol)
        assert (trade["order"], trade["price"], trade["amount"]) == (bought["id"], 50_010, qty)
        assert (trade["takerOrMaker"], trade["fee"]["currency"]) == ("taker", futures.settle)


@by_product
async def test_every_time_in_force(market: Venue, futures: Futures) -> None:
    symbol, qty = futures.unified, futures.qty
    # ccxt has no exception of its own for these two of COIN-M.
    unfillable = ccxt.OrderNotFillable if futures is LINEAR else ccxt.ExchangeError
    async with ccxt_futures(futures, ASYNC, await funded(market)) as client:

        async def limit(price: float, **params: Any) -> Any:
            return await client.create_order(symbol, "limit", "buy", qty, price, params)

        for params in ({"timeInForce": "GTX"}, {"postOnly": True}):
            posted = await limit(49_000, **params)
            assert (posted["status"], posted["postOnly"]) == ("open", True)
            assert posted["info"]["timeInForce"] == "GTX"
            with pytest.raises(unfillable, match="-5022"):
                await limit(50_010, **params)
        filled = await limit(50_010, timeInForce="IOC")
        assert (filled["status"], filled["filled"]) == ("closed", qty)
        expired = await limit(49_000, timeInForce="IOC")
        assert (expired["status"], expired["filled"]) == ("expired", 0)
        whole = await limit(50_010, timeInForce="FOK")
        assert (whole["status"], whole["filled"]) == ("closed", qty)
        with pytest.raises(unfillable, match="-5021"):
            await limit(49_000, timeInForce="FOK")
        until_ms = (client.milliseconds() // 1_000 + 86_400) * 1_000
        dated = await limit(49_000, timeInForce="GTD", goodTillDate=until_ms)
        assert int(dated["info"]["goodTillDate"]) == until_ms
        post_only = await client.create_post_only_order(symbol, "limit", "buy", qty, 48_000)
        assert post_only["postOnly"] is True


@by_product
async def test_the_short_names_of_limits_and_markets(market: Venue, futures: Futures) -> None:
    symbol, qty = futures.unified, futures.qty
    async with ccxt_futures(futures, ASYNC, await funded(market)) as client:
        placed = [
            await client.create_limit_order(symbol, "buy", qty, 49_000),
            await client.create_limit_buy_order(symbol, qty, 49_000),
            await client.create_limit_sell_order(symbol, qty, 51_000),
        ]
        assert {each["status"] for each in placed} == {"open"}
        bought = [
            await client.create_market_order(symbol, "buy", qty),
            await client.create_market_buy_order(symbol, qty),
        ]
        sold = await client.create_market_sell_order(symbol, qty)
        assert {each["status"] for each in [*bought, sold]} == {"closed"}
        reduced = await client.create_reduce_only_order(symbol, "market", "sell", qty * 5)
        # Bought twice and sold once: no more than one is left to reduce.
        assert (reduced["filled"], reduced["reduceOnly"]) == (qty, True)
        assert await client.fetch_positions([symbol]) == []


@by_product
async def test_price_match_and_self_trade_prevention(market: Venue, futures: Futures) -> None:
    symbol, qty = futures.unified, futures.qty
    async with ccxt_futures(futures, ASYNC, await funded(market)) as client:

        async def limit(side: str, price: float | None, **params: Any) -> Any:
            return await client.create_order(symbol, "limit", side, qty, price, params)

        queued = await limit("buy", None, priceMatch="QUEUE")
        assert queued["price"] == 49_990
        opposed = await limit("buy", None, priceMatch="OPPONENT")
        assert (opposed["price"], opposed["status"]) == (50_010, "closed")
        mine = await limit("buy", 50_000)
        both = await limit("sell", 50_000, selfTradePreventionMode="EXPIRE_BOTH")
        assert both["filled"] == 0
        assert both["info"]["status"] == "EXPIRED_IN_MATCH"
        assert (await client.fetch_order(mine["id"], symbol))["info"]["status"] == (
            "EXPIRED_IN_MATCH"
        )


CONDITIONALS: list[tuple[str, str, float | None, dict[str, Any], str, float | None]] = [
    ("limit", "buy", 51_100, {"triggerPrice": 51_000}, "STOP", 51_000),
    ("market", "buy", None, {"triggerPrice": 51_000}, "STOP_MARKET", 51_000),
    ("market", "sell", None, {"stopPrice": 48_000}, "STOP_MARKET", 48_000),
    ("market", "sell", None, {"stopLossPrice": 48_000}, "STOP_MARKET", 48_000),
    ("limit", "sell", 47_900, {"stopLossPrice": 48_000}, "STOP", 48_000),
    ("market", "sell", None, {"takeProfitPrice": 52_000}, "TAKE_PROFIT_MARKET", 52_000),
    ("limit", "sell", 52_100, {"takeProfitPrice": 52_000}, "TAKE_PROFIT", 52_000),
    ("market", "sell", None, {"trailingPercent": 2}, "TRAILING_STOP_MARKET", None),
    (
        "market",
        "sell",
        None,
        {"trailingPercent": 2, "trailingTriggerPrice": 52_000},
        "TRAILING_STOP_MARKET",
        None,
    ),
    (
        "market",
        "sell",
        None,
        {"stopLossPrice": 48_000, "reduceOnly": True, "workingType": "MARK_PRICE"},
        "STOP_MARKET",
        48_000,
    ),
]


@by_each
async def test_conditional_orders_are_placed_found_and_cancelled(
    market: Venue, futures: Futures, library: Library
) -> None:
    symbol, qty = futures.unified, futures.qty
    waiting = {"trigger": True}
    async with ccxt_futures(futures, library, await funded(market)) as client:
        await client.create_order(symbol, "market", "buy", qty)
        ids = []
        for kind, side, price, params, type_, trigger in CONDITIONALS:
            order = await client.create_order(symbol, kind, side, qty, price, params)
            ids.append(order["id"])
            found = await client.fetch_order(order["id"], symbol, waiting)
            assert (found["id"], found["status"]) == (order["id"], "open")
            assert found["info"]["orderType"] == type_
            assert (found["triggerPrice"], found["price"]) == (trigger, price)
            assert found["reduceOnly"] is bool(params.get("reduceOnly"))
        for found in (
            await client.fetch_open_orders(symbol, None, None, waiting),
            await client.fetch_orders(symbol, None, None, waiting),
        ):
            assert [each["id"] for each in found] == ids
        assert await client.fetch_open_orders(symbol) == []
        assert (await client.cancel_order(ids[0], symbol, waiting))["id"] == ids[0]
        with pytest.raises(ccxt.OrderNotFound):
            await client.cancel_order(ids[0], symbol, waiting)
        await client.cancel_all_orders(symbol, waiting)
        assert await client.fetch_open_orders(symbol, None, None, waiting) == []


@by_product
async def test_the_named_ways_to_place_conditional_orders(market: Venue, futures: Futures) -> None:
    symbol, qty = futures.unified, futures.qty
    async with ccxt_futures(futures, ASYNC, await funded(market)) as client:
        await client.create_order(symbol, "market", "buy", qty)
        placed = [
            await client.create_trigger_order(symbol, "market", "buy", qty, None, 51_000),
            await client.create_stop_order(symbol, "market", "buy", qty, None, 51_000),
            await client.create_stop_limit_order(symbol, "buy", qty, 51_100, 51_000),
            await client.create_stop_market_order(symbol, "buy", qty, 51_000),
            await client.create_stop_loss_order(symbol, "market", "sell", qty, None, 48_000),
            await client.create_take_profit_order(symbol, "market", "sell", qty, None, 52_000),
            await client.create_trailing_percent_order(symbol, "market", "sell", qty, None, 2),
        ]
        assert [each["info"]["orderType"] for each in placed] == [
            "STOP_MARKET",
            "STOP_MARKET",
            "STOP",
            "STOP_MARKET",
            "STOP_MARKET",
            "TAKE_PROFIT_MARKET",
            "TRAILING_STOP_MARKET",
        ]


@by_product
async def test_stops_wake_when_the_price_comes_to_them(market: Venue, futures: Futures) -> None:
    symbol, qty = futures.unified, futures.qty
    async with ccxt_futures(futures, ASYNC, await funded(market)) as client:
        waiting = {"trigger": True}
        await client.create_order(symbol, "market", "buy", qty)
        other = "0.001" if futures is LINEAR else "1"
        await market.trade(futures.symbol, "50000", other)
        stop = await client.create_order(
            symbol, "STOP_MARKET", "sell", None, None, {"stopPrice": 49_995, "closePosition": True}
        )
        assert stop["info"]["closePosition"] is True
        trailing = await client.create_order(
            symbol,
            "market",
            "sell",
            qty,
            None,
            {"trailingPercent": 0.1, "trailingTriggerPrice": 50_005},
        )
        await market.trade(futures.symbol, "50005", other)  # The trailing stop is awake:
        await market.trade(futures.symbol, "49992", other)  # the other one is reached.
        await market.kept()
        assert await client.fetch_positions([symbol]) == []
        ended = await client.fetch_order(stop["id"], symbol, waiting)
        assert ended["info"]["algoStatus"] == "FINISHED"
        real = await client.fetch_order(ended["info"]["actualOrderId"], symbol)
        assert (real["status"], real["average"], real["filled"]) == ("closed", 49_990, qty)
        assert (await client.fetch_order(trailing["id"], symbol, waiting))["status"] == "open"


@by_each
async def test_batches_are_placed_edited_and_cancelled(
    market: Venue, futures: Futures, library: Library
) -> None:
    symbol, qty = futures.unified, futures.qty
    async with ccxt_futures(futures, library, await funded(market)) as client:

        def limit(price: float, **more: Any) -> dict[str, Any]:
            return {
                "symbol": symbol,
                "type": "limit",
                "side": "buy",
                "amount": qty,
                "price": price,
                **more,
            }

        # ccxt sorts by time: what was refused has none, and comes first.
        refused, first, second, third = await client.create_orders(
            [limit(49_000), limit(48_000), limit(47_000), limit(49_000, amount=qty * 4_000)]
        )
        placed = [first["id"], second["id"], third["id"]]
        assert await statuses(client, symbol, *placed) == ["open"] * 3
        assert refused["status"] == "rejected"
        # 80 coins want 392,000 of margin; 80,000 contracts are more than 10x allows.
        assert int(refused["info"]["code"]) == (-2019 if futures is LINEAR else -2027)
        edited = await client.edit_order(first["id"], symbol, "limit", "buy", qty * 2, 46_000)
        assert (edited["price"], edited["amount"]) == (46_000, qty * 2)
        fewer = await client.edit_orders(
            [limit(48_500, id=second["id"]), limit(47_500, id=third["id"])]
        )
        assert [each["price"] for each in fewer] == [48_500, 47_500]
        await client.cancel_orders([each["id"] for each in fewer], symbol)
        (left,) = await client.fetch_open_orders(symbol)
        assert left["id"] == edited["id"]
        await client.cancel_all_orders(symbol)
        assert await client.fetch_open_orders(symbol) == []
