"""python-binance trades USD-M perpetuals here unchanged."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final

import pytest
import pytest_asyncio
from binance import AsyncClient
from binance.exceptions import BinanceAPIException

from tests.exchange.gateway.binance.clients.venue import Venue, venue

pytestmark = pytest.mark.asyncio(loop_scope="module")

PERP: Final = {"symbol": "BTCUSDT"}
LOT: Final = PERP | {"quantity": "0.01"}
RESTING: Final = LOT | {"timeInForce": "GTC"}
HOURS_8_MS: Final = 8 * 3_600_000
# An order of each conditional type that waits, by the fields that make it one.
WAITING: Final[dict[str, dict[str, str]]] = {
    "STOP": {"side": "BUY", "price": "52000", "stopPrice": "51900", "timeInForce": "GTC"},
    "STOP_MARKET": {"side": "SELL", "stopPrice": "48000"},
    "TAKE_PROFIT": {"side": "BUY", "price": "48000", "stopPrice": "48100", "timeInForce": "GTC"},
    "TAKE_PROFIT_MARKET": {"side": "SELL", "stopPrice": "52000"},
    "TRAILING_STOP_MARKET": {"side": "SELL", "callbackRate": "1", "activatePrice": "52000"},
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def futures(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Venue]:
    async with venue(tmp_path_factory.mktemp("futures")) as found:
        yield found


async def position(client: AsyncClient, **fields: Any) -> dict[str, Any]:
    """The one position that there is."""
    (found,) = await client.futures_position_information(**PERP, **fields)
    return dict(found)


async def test_orders_by_their_short_names(futures: Venue) -> None:
    async with futures.bot() as client:
        bid = await client.futures_limit_buy_order(**RESTING, price="49000")
        ask = await client.futures_limit_sell_order(**RESTING, price="51000")
        other = await client.futures_limit_order(**RESTING, side="BUY", price="48000")
        assert [each["side"] for each in (bid, ask, other)] == ["BUY", "SELL", "BUY"]
        opened = await client.futures_get_open_orders(**PERP)
        assert [each["orderId"] for each in opened] == [
            each["orderId"] for each in (bid, ask, other)
        ]
        await client.futures_market_buy_order(**LOT)
        await client.futures_market_order(**LOT, side="BUY")
        await client.futures_market_sell_order(**LOT, newOrderRespType="RESULT")
        assert (await position(client))["positionAmt"] == "0.010"
        said = await client.futures_cancel_all_open_orders(**PERP)
        assert said["code"] == 200
        assert await client.futures_get_open_orders() == []
        await futures.kept()
        assert len(await client.futures_get_all_orders(**PERP)) == 6


async def test_an_order_is_tried_placed_found_changed_and_cancelled(futures: Venue) -> None:
    async with futures.bot() as client:
        wish = RESTING | {"side": "BUY", "type": "LIMIT", "price": "49000"}
        assert await client.futures_create_test_order(**wish) == {}
        assert await client.futures_get_open_orders(**PERP) == []
        placed = await client.futures_create_order(**wish)
        name = PERP | {"orderId": placed["orderId"]}
        assert (await client.futures_get_order(**name))["status"] == "NEW"
        assert (await client.futures_v1_get_open_order(**name))["price"] == "49000.0"
        fewer = await client.futures_modify_order(
            **name, side="BUY", quantity="0.005", price="49000"
        )
        assert (fewer["orderId"], fewer["origQty"]) == (placed["orderId"], "0.005")
        moved = await client.futures_modify_order(
            **name, side="BUY", quantity="0.01", price="48500"
        )
        name["orderId"] = moved["orderId"]
        assert (await client.futures_get_order(**name))["price"] == "48500.0"
        gone = await client.futures_cancel_order(**name)
        assert (gone["status"], gone["orderId"]) == ("CANCELED", moved["orderId"])
        await futures.kept()
        history = await client.futures_v1_get_order_amendment(**name)
        assert [each["amendment"]["count"] for each in history] == [2, 1]
        assert history[0]["amendment"]["price"] == {"before": "49000.0", "after": "48500.0"}
        limits = await client.futures_v1_get_rate_limit_order()
        assert [each["interval"] for each in limits] == ["SECOND", "MINUTE"]


async def test_several_orders_at_once(futures: Venue) -> None:
    async with futures.bot() as client:
        wish = RESTING | {"side": "BUY", "type": "LIMIT"}
        first, bad, last = await client.futures_place_batch_order(
            batchOrders=[
                wish | {"price": "48000"},
                wish | {"price": "48000.01"},
                wish | {"price": "47000", "newClientOrderId": "the-last"},
            ]
        )
        assert (first["status"], bad["code"], last["clientOrderId"]) == ("NEW", -1111, "the-last")
        (gone,) = await client.futures_cancel_orders(**PERP, orderidlist=[first["orderId"]])
        assert gone["status"] == "CANCELED"
        (named,) = await client.futures_cancel_orders(**PERP, origclientorderidlist=["the-last"])
        assert named["orderId"] == last["orderId"]


@pytest.mark.parametrize("type_", WAITING)
async def test_each_conditional_type_waits_as_an_algo_order(futures: Venue, type_: str) -> None:
    wish = LOT | WAITING[type_] | {"type": type_}
    async with futures.bot() as client:
        placed = await client.futures_create_order(**wish)  # Which it sends to algoOrder itself.
        assert (placed["orderType"], placed["algoStatus"]) == (type_, "NEW")
        name = {"algoId": placed["algoId"]}
        found = await client.futures_get_order(**name)
        assert found["orderType"] == type_
        assert await client.futures_get_algo_order(**name) == found
        (opened,) = await client.futures_get_open_orders(**PERP, conditional=True)
        assert [opened] == await client.futures_get_open_algo_orders(**PERP)
        assert opened["algoId"] == placed["algoId"]
        cancelled = await client.futures_cancel_order(**PERP, **name)
        assert cancelled["msg"] == "success"
        renamed = {{"stopPrice": "triggerPrice"}.get(key, key): each for key, each in wish.items()}
        other = await client.futures_create_algo_order(**renamed, algoType="CONDITIONAL")
        await client.futures_cancel_algo_order(algoId=other["algoId"])
        third = await client.futures_create_algo_order(**renamed, algoType="CONDITIONAL")
        await client.futures_cancel_all_algo_open_orders(**PERP)
        assert await client.futures_get_open_algo_orders() == []
        await futures.kept()
        past = await client.futures_get_all_algo_orders(**PERP)
        assert [each["algoId"] for each in past] == [
            each["algoId"] for each in (placed, other, third)
        ]
        assert {each["algoStatus"] for each in past} == {"CANCELED"}


async def test_a_position_is_levered_isolated_added_to_and_read(futures: Venue) -> None:
    async with futures.bot() as client:
        assert (await client.futures_change_leverage(**PERP, leverage=10))["leverage"] == 10
        await client.futures_change_margin_type(**PERP, marginType="ISOLATED")
        with pytest.raises(BinanceAPIException) as refused:
            await client.futures_change_margin_type(**PERP, marginType="ISOLATED")
        assert refused.value.code == -4046
        await client.futures_market_buy_order(**PERP, quantity="0.1")
        found = await position(client)
        assert (found["entryPrice"], found["marginAsset"]) == ("50010.00000000", "USDT")
        # A tenth of 5,001.
        assert float(found["isolatedWallet"]) == pytest.approx(500.1)
        added = await client.futures_change_position_margin(**PERP, amount="50", type=1)
        assert (added["code"], added["type"]) == (200, 1)
        assert float((await position(client))["isolatedWallet"]) == pytest.approx(550.1)
        await futures.kept()
        moved = await client.futures_position_margin_history(**PERP)
        assert [(each["deltaType"], float(each["amount"])) for each in moved] == [
            ("TRADE", 500.1),
            ("USER_ADJUST", 50),
        ]
        (config,) = await client.futures_symbol_config(**PERP)
        assert (config["marginType"], config["leverage"]) == ("ISOLATED", 10)
        account = await client.futures_account()
        held = next(each for each in account["positions"] if each["symbol"] == "BTCUSDT")
        assert (held["positionAmt"], held["leverage"], held["isolated"]) == ("0.100", "10", True)
        (balance,) = await client.futures_account_balance()
        # 100,000 less the fee: 0.05 % of 5,001.
        assert float(balance["balance"]) == pytest.approx(100_000 - 2.5005)
        (quantile,) = await client.futures_adl_quantile_estimate(**PERP)
        assert quantile["adlQuantile"]["BOTH"] in range(5)


async def test_hedge_mode_holds_both_legs(futures: Venue) -> None:
    async with futures.bot() as client:
        await client.futures_change_position_mode(dualSidePosition="true")
        assert await client.futures_get_position_mode() == {"dualSidePosition": True}
        await client.futures_market_buy_order(**LOT, positionSide="LONG")
        await client.futures_market_sell_order(**LOT, positionSide="SHORT")
        legs = await client.futures_position_information(**PERP)
        assert {each["positionSide"]: each["positionAmt"] for each in legs} == {
            "LONG": "0.010",
            "SHORT": "-0.010",
        }
        with pytest.raises(BinanceAPIException) as refused:
            await client.futures_market_buy_order(**LOT)
        assert refused.value.code == -4061


async def test_modes_and_tables_of_an_account(futures: Venue) -> None:
    async with futures.bot() as client:
        await client.futures_change_multi_assets_mode(multiAssetsMargin="true")
        assert await client.futures_get_multi_assets_mode() == {"multiAssetsMargin": True}
        config = await client.futures_account_config()
        assert (config["multiAssetsMargin"], config["dualSidePosition"]) == (True, False)
        (table,) = await client.futures_leverage_bracket(**PERP)
        assert table["brackets"][0]["initialLeverage"] == 125
        rates = await client.futures_commission_rate(**PERP)
        assert (rates["makerCommissionRate"], rates["takerCommissionRate"]) == ("0.0002", "0.0005")
        said = await client.futures_countdown_cancel_all(**PERP, countdownTime=60_000)
        assert said == {"symbol": "BTCUSDT", "countdownTime": "60000"}
        assert await client.futures_liquidation_orders(**PERP) == []


async def test_fills_fees_and_funding_are_told(futures: Venue) -> None:
    async with futures.bot() as client:
        await client.futures_market_buy_order(**PERP, quantity="0.1")
        await futures.pass_time(HOURS_8_MS)
        await client.futures_market_sell_order(**PERP, quantity="0.1")
        await futures.kept()
        bought, sold = await client.futures_account_trades(**PERP)
        assert (bought["buyer"], bought["commission"]) == (True, "2.50050000")
        assert float(sold["realizedPnl"]) == -2  # Bought at 50,010, sold at 49,990, a tenth of it.
        kinds = {each["incomeType"] for each in await client.futures_income_history()}
        assert kinds == {"TRANSFER", "COMMISSION", "FUNDING_FEE", "REALIZED_PNL"}
        (funding,) = await client.futures_income_history(incomeType="FUNDING_FEE")
        (rate,) = (await client.futures_funding_rate(**PERP))[-1:]
        paid = 0.1 * float(rate["markPrice"]) * float(rate["fundingRate"])
        assert float(funding["income"]) == pytest.approx(-paid, abs=1e-7)


async def test_listen_keys_begin_go_on_and_end(futures: Venue) -> None:
    async with futures.bot() as client:
        key = await client.futures_stream_get_listen_key()
        assert (await client.futures_stream_keepalive(key))["listenKey"] == key
        assert await client.futures_stream_close(key) == {}
        with pytest.raises(BinanceAPIException) as refused:
            await client.futures_stream_keepalive(key)
        assert refused.value.code == -1125
