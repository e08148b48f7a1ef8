"""python-binance trades COIN-M perpetuals here unchanged, where quantities are contracts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

import pytest
import pytest_asyncio
from binance.exceptions import BinanceAPIException

from tests.exchange.gateway.binance.clients.venue import Venue, venue

pytestmark = pytest.mark.asyncio(loop_scope="module")

COIN: Final = {"symbol": "BTCUSD_PERP"}
LIMIT: Final = COIN | {"side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "2"}
HOURS_8_MS: Final = 8 * 3_600_000
WAITING: Final[dict[str, dict[str, str]]] = {
    "STOP": {"side": "BUY", "price": "52000", "stopPrice": "51900", "timeInForce": "GTC"},
    "STOP_MARKET": {"side": "SELL", "stopPrice": "48000"},
    "TAKE_PROFIT": {"side": "BUY", "price": "48000", "stopPrice": "48100", "timeInForce": "GTC"},
    "TAKE_PROFIT_MARKET": {"side": "SELL", "stopPrice": "52000"},
    "TRAILING_STOP_MARKET": {"side": "SELL", "callbackRate": "1", "activationPrice": "52000"},
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def coins(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Venue]:
    async with venue(tmp_path_factory.mktemp("coins")) as found:
        yield found


async def test_an_order_is_placed_found_changed_and_cancelled(coins: Venue) -> None:
    async with coins.bot(perp_BTC="BTC") as client:
        placed = await client.futures_coin_create_order(**LIMIT, price="48000")
        name = COIN | {"orderId": placed["orderId"]}
        found = await client.futures_coin_get_order(**name)
        assert (found["status"], found["origQty"], found["pair"]) == ("NEW", "2", "BTCUSD")
        (opened,) = await client.futures_coin_get_open_orders(**COIN)
        assert opened["orderId"] == placed["orderId"]
        fewer = await client.futures_coin_v1_put_order(
            **name, side="BUY", quantity="1", price="48000"
        )
        assert (fewer["orderId"], fewer["origQty"]) == (placed["orderId"], "1")
        gone = await client.futures_coin_cancel_order(**name)
        assert gone["status"] == "CANCELED"
        await coins.kept()
        (change,) = await client.futures_coin_v1_get_order_amendment(**name)
        assert change["amendment"]["origQty"] == {"before": "2", "after": "1"}
        await client.futures_coin_create_order(**LIMIT, price="47000")
        assert (await client.futures_coin_cancel_all_open_orders(**COIN))["code"] == 200
        await coins.kept()
        past = await client.futures_coin_get_all_orders(**COIN)
        assert [each["status"] for each in past] == ["CANCELED", "CANCELED"]


@pytest.mark.parametrize("type_", WAITING)
async def test_each_conditional_type_waits(coins: Venue, type_: str) -> None:
    async with coins.bot(perp_BTC="BTC") as client:
        placed = await client.futures_coin_create_order(
            **COIN, **WAITING[type_], type=type_, quantity="1"
        )
        (opened,) = await client.futures_coin_get_open_orders(**COIN)
        assert (opened["orderId"], opened["type"]) == (placed["orderId"], type_)
        await client.futures_coin_cancel_order(**COIN, orderId=placed["orderId"])


async def test_a_position_is_levered_isolated_and_added_to(coins: Venue) -> None:
    async with coins.bot(perp_BTC="BTC") as client:
        assert (await client.futures_coin_change_leverage(**COIN, leverage=20))["leverage"] == 20
        await client.futures_coin_change_margin_type(**COIN, marginType="ISOLATED")
        await client.futures_coin_create_order(**COIN, side="BUY", type="MARKET", quantity="100")
        await client.futures_coin_change_position_margin(**COIN, amount="0.01", type=1)
        (held,) = await client.futures_coin_position_information(pair="BTCUSD")
        assert (held["positionAmt"], held["marginType"], held["leverage"]) == (
            "100",
            "isolated",
            "20",
        )
        # 100 contracts of 100 dollars at 50,010: a twentieth of 0.19996, and what was added.
        assert float(held["isolatedWallet"]) == pytest.approx(10_000 / 50_010 / 20 + 0.01, abs=1e-7)
        await coins.kept()
        moved = await client.futures_coin_position_margin_history(**COIN)
        assert (moved[-1]["deltaType"], moved[-1]["amount"]) == ("USER_ADJUST", "0.01000000")
        account = await client.futures_coin_account()
        assert [each["asset"] for each in account["assets"]] == ["BTC"]
        (balance,) = await client.futures_coin_account_balance()
        # Ten coins less 0.05 % of 0.19996001, rounded up.
        assert balance["balance"] == "9.99990001"
        (quantile,) = await client.futures_coin_v1_get_adl_quantile(**COIN)
        assert quantile["adlQuantile"]["BOTH"] in range(5)


async def test_hedge_mode_and_tables(coins: Venue) -> None:
    async with coins.bot(perp_BTC="BTC") as client:
        await client.futures_coin_change_position_mode(dualSidePosition="true")
        assert await client.futures_coin_get_position_mode() == {"dualSidePosition": True}
        for side, leg in (("BUY", "LONG"), ("SELL", "SHORT")):
            await client.futures_coin_create_order(
                **COIN, side=side, type="MARKET", quantity="1", positionSide=leg
            )
        legs = await client.futures_coin_position_information(pair="BTCUSD")
        assert {each["positionSide"]: each["positionAmt"] for each in legs}.items() >= {
            ("LONG", "1"),
            ("SHORT", "-1"),
        }
        (table,) = await client.futures_coin_leverage_bracket()
        assert table["brackets"][0]["qtyFloor"] == 0
        rates = await client.futures_coin_v1_get_commission_rate(**COIN)
        assert rates["takerCommissionRate"] == "0.0005"
        assert await client.futures_coin_liquidation_orders(**COIN) == []


async def test_fills_fees_and_funding_are_told(coins: Venue) -> None:
    async with coins.bot(perp_BTC="BTC") as client:
        await client.futures_coin_create_order(**COIN, side="BUY", type="MARKET", quantity="100")
        await coins.pass_time(HOURS_8_MS)
        await coins.kept()
        (bought,) = await client.futures_coin_account_trades(**COIN)
        assert (bought["qty"], bought["commissionAsset"]) == ("100", "BTC")
        kinds = {each["incomeType"] for each in await client.futures_coin_income_history()}
        assert kinds == {"TRANSFER", "COMMISSION", "FUNDING_FEE"}
        (funding,) = await client.futures_coin_income_history(incomeType="FUNDING_FEE")
        (rate,) = (await client.futures_coin_funding_rate(**COIN))[-1:]
        paid = 10_000 / float(rate["markPrice"]) * float(rate["fundingRate"])
        assert float(funding["income"]) == pytest.approx(-paid, abs=2e-8)


async def test_listen_keys_begin_go_on_and_end(coins: Venue) -> None:
    async with coins.bot() as client:
        key = await client.futures_coin_stream_get_listen_key()
        assert (await client.futures_coin_stream_keepalive(key)) in ({}, {"listenKey": key})
        assert await client.futures_coin_stream_close(key) == {}
        with pytest.raises(BinanceAPIException) as refused:
            await client.futures_coin_stream_keepalive(key)
        assert refused.value.code == -1125


async def test_what_the_client_signs_otherwise_than_it_sends_is_refused(coins: Venue) -> None:
    # It signs the JSON as it is, then sends it percent-encoded: nobody could verify that.
    async with coins.bot(perp_BTC="BTC") as client:
        wishes = [LIMIT | {"price": "48000"}]
        for asked in (
            client.futures_coin_place_batch_order(batchOrders=wishes),
            client.futures_coin_cancel_orders(**COIN, orderidlist=[1, 2]),
            client.futures_coin_v1_put_batch_orders(batchOrders='[{"orderId":1}]'),
            client.futures_v1_put_batch_orders(batchOrders='[{"orderId":1}]'),
        ):
            with pytest.raises(BinanceAPIException) as refused:
                await asked
            assert refused.value.code == -1022
