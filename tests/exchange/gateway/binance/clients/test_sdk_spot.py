"""The official SDK asks and trades spot over REST here unchanged, in its own typed models."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from operator import attrgetter
from typing import Any, Final, NamedTuple

import pytest
import pytest_asyncio
from binance_common.configuration import ConfigurationRestAPI
from binance_common.errors import (
    BadRequestError,
    NotFoundError,
    TooManyRequestsError,
    UnauthorizedError,
)
from binance_sdk_spot.spot import Spot

from tests.exchange.gateway.binance.clients.venue import Venue, venue
from tests.exchange.gateway.rig import START_MS, Trader

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAIR: Final = {"symbol": "BTCUSDT"}
MINUTES: Final = PAIR | {"interval": "1m", "start_time": START_MS}
LIMIT: Final[dict[str, Any]] = PAIR | {
    "side": "BUY",
    "type": "LIMIT",
    "time_in_force": "GTC",
    "quantity": 0.02,
    "price": 49_000,
}
OCO: Final = PAIR | {
    "side": "SELL",
    "quantity": 0.01,
    "above_type": "LIMIT_MAKER",
    "above_price": 52_000,
    "below_type": "STOP_LOSS",
    "below_stop_price": 48_000,
}
WORKING: Final[dict[str, Any]] = PAIR | {
    "working_type": "LIMIT",
    "working_side": "BUY",
    "working_price": 49_000,
    "working_quantity": 0.01,
    "working_time_in_force": "GTC",
    "pending_side": "SELL",
}
OTO: Final = WORKING | {
    "pending_type": "LIMIT_MAKER",
    "pending_price": 52_000,
    "pending_quantity": 0.01,
}
OTOCO: Final = WORKING | {
    "pending_quantity": 0.01,
    "pending_above_type": "LIMIT_MAKER",
    "pending_above_price": 52_000,
    "pending_below_type": "STOP_LOSS",
    "pending_below_stop_price": 48_000,
}
OLD_OCO: Final = PAIR | {"side": "SELL", "quantity": 0.01, "price": 52_000, "stop_price": 48_000}
# An order of each type that waits, by what makes it one.
WAITING: Final[dict[str, dict[str, Any]]] = {
    "LIMIT_MAKER": {"side": "BUY", "price": 49_000},
    "STOP_LOSS": {"side": "SELL", "stop_price": 48_000},
    "STOP_LOSS_LIMIT": {
        "side": "SELL",
        "price": 47_900,
        "stop_price": 48_000,
        "time_in_force": "GTC",
    },
    "TAKE_PROFIT": {"side": "SELL", "stop_price": 52_000},
    "TAKE_PROFIT_LIMIT": {
        "side": "SELL",
        "price": 52_100,
        "stop_price": 52_000,
        "time_in_force": "GTC",
    },
}


class Asked(NamedTuple):
    """A method, what it is asked with, and what must hold of its model."""

    method: str
    fields: dict[str, Any]
    holds: Callable[[Any], bool]

    def __str__(self) -> str:
        return self.method


ASKED: Final = (
    Asked("rest_api.ping", {}, lambda said: said == {}),
    Asked("rest_api.time", {}, lambda said: said.server_time > START_MS),
    Asked("rest_api.exchange_info", PAIR, lambda said: said.symbols[0].base_asset == "BTC"),
    Asked("rest_api.depth", PAIR, lambda said: float(said.asks[0][0]) == 50_010),
    Asked("rest_api.get_trades", PAIR, lambda said: [each.id for each in said] == [1, 2]),
    Asked("rest_api.historical_trades", PAIR, lambda said: [each.id for each in said] == [1, 2]),
    Asked("rest_api.agg_trades", PAIR, lambda said: [each.a for each in said] == [1, 2]),
    Asked("rest_api.klines", MINUTES, lambda said: said[0][0] == START_MS and said[0][8] == 2),
    Asked("rest_api.ui_klines", MINUTES, lambda said: said[0][0] == START_MS),
    # 0.5 at 50,000 and 0.25 at 50,006.
    Asked("rest_api.avg_price", PAIR, lambda said: float(said.price) == 50_002),
    Asked("rest_api.ticker", PAIR, lambda said: _one(said).count == 2),
    Asked("rest_api.ticker24hr", PAIR, lambda said: float(_one(said).price_change) == 6),
    Asked("rest_api.ticker_trading_day", PAIR, lambda said: float(_one(said).volume) == 0.75),
    Asked("rest_api.ticker_price", PAIR, lambda said: float(_one(said).price) == 50_006),
    Asked("rest_api.ticker_book_ticker", PAIR, lambda said: float(_one(said).bid_price) == 49_990),
    Asked("rest_api.get_account", {}, lambda said: said.can_trade is True),
    Asked(
        "rest_api.account_commission",
        PAIR,
        lambda said: float(said.standard_commission.taker) == 0.001,
    ),
    Asked("rest_api.rate_limit_order", {}, lambda said: said[0].rate_limit_type == "ORDERS"),
    Asked("rest_api.my_allocations", PAIR, lambda said: said == []),
)
ABSENT: Final[dict[str, dict[str, Any]]] = {
    "rest_api.my_filters": PAIR,
    "rest_api.reference_price": PAIR,
    "rest_api.reference_price_calculation": PAIR,
    "rest_api.historical_block_trades": PAIR | {"from_id": 1},
    "rest_api.order_amendments": PAIR | {"order_id": 1},
    "rest_api.my_prevented_matches": PAIR | {"order_id": 1},
    "rest_api.execution_rules": {},
    "rest_api.order_list_opo": WORKING | {"pending_type": "LIMIT_MAKER", "pending_price": 52_000},
    "rest_api.order_list_opoco": WORKING
    | {"pending_above_type": "LIMIT_MAKER", "pending_above_price": 52_000},
    "rest_api.sor_order": PAIR | {"side": "BUY", "type": "LIMIT", "quantity": 0.01},
    "rest_api.sor_order_test": PAIR | {"side": "BUY", "type": "LIMIT", "quantity": 0.01},
}


def _one(said: Any) -> Any:
    """A model that may be one of several."""
    return getattr(said, "actual_instance", None) or said


def sdk(trader: Trader, **settings: Any) -> Spot:
    """The official client with an account's key, or with another in `settings`."""
    key = {"api_key": trader.key, "api_secret": trader.secret, "base_path": trader.rig.url}
    return Spot(config_rest_api=ConfigurationRestAPI(**(key | {"timeout": 10_000} | settings)))


async def told(spot: Spot, method: str, **fields: Any) -> Any:
    """What a method answers, as its model; it is synchronous, and so asked in a thread."""
    answer = await asyncio.to_thread(attrgetter(method)(spot), **fields)
    return answer.data()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def floor(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Venue]:
    async with venue(tmp_path_factory.mktemp("sdk")) as found:
        for price, qty in (("50000", "0.5"), ("50006", "0.25")):
            await found.trade("BTC-USDT", price, qty)
        await found.pass_time(60_000)
        await found.kept()
        yield found


@pytest_asyncio.fixture(loop_scope="module")
async def spot(floor: Venue) -> Spot:
    return sdk(await floor.account(spot="BTC"))


@pytest.mark.parametrize("asked", ASKED, ids=str)
async def test_what_it_is_told_fits_its_models(spot: Spot, asked: Asked) -> None:
    assert asked.holds(await told(spot, asked.method, **asked.fields))


async def test_an_order_is_tried_placed_amended_replaced_and_cancelled(spot: Spot) -> None:
    assert await told(spot, "rest_api.order_test", **LIMIT) is not None
    assert await told(spot, "rest_api.get_open_orders", **PAIR) == []
    placed = await told(spot, "rest_api.new_order", **LIMIT)
    name = PAIR | {"order_id": placed.order_id}
    amended = await told(spot, "rest_api.order_amend_keep_priority", **name, new_qty=0.01)
    assert amended.amended_order.qty == "0.01000000"
    found = await told(spot, "rest_api.get_order", **name)
    assert (found.orig_qty, found.order_id) == ("0.01000000", placed.order_id)
    replaced = await told(
        spot,
        "rest_api.order_cancel_replace",
        **(LIMIT | {"price": 48_000}),
        cancel_replace_mode="STOP_ON_FAILURE",
        cancel_order_id=placed.order_id,
    )
    assert replaced.cancel_result == replaced.new_order_result == "SUCCESS"
    (opened,) = await told(spot, "rest_api.get_open_orders", **PAIR)
    assert (opened.price, opened.status) == ("48000.00000000", "NEW")
    gone = await told(spot, "rest_api.delete_order", **PAIR, order_id=opened.order_id)
    assert gone.status == "CANCELED"
    await told(spot, "rest_api.new_order", **LIMIT)
    (last,) = await told(spot, "rest_api.delete_open_orders", **PAIR)
    assert last.status == "CANCELED"


@pytest.mark.parametrize("type_", WAITING)
async def test_each_type_of_order_waits(spot: Spot, type_: str) -> None:
    wish = PAIR | WAITING[type_] | {"type": type_, "quantity": 0.01}
    placed = await told(spot, "rest_api.new_order", **wish, new_order_resp_type="RESULT")
    assert (placed.type, placed.status) == (type_, "NEW")


async def test_what_was_filled_is_told(floor: Venue, spot: Spot) -> None:
    bought = await told(
        spot, "rest_api.new_order", **PAIR, side="BUY", type="MARKET", quantity=0.01
    )
    assert (bought.status, bought.fills[0].price) == ("FILLED", "50010.00000000")
    await floor.kept()
    (trade,) = await told(spot, "rest_api.my_trades", **PAIR)
    assert (trade.order_id, trade.commission_asset) == (bought.order_id, "BTC")
    (order,) = await told(spot, "rest_api.all_orders", **PAIR)
    assert order.executed_qty == "0.01000000"


async def test_lists_are_placed_found_and_cancelled(floor: Venue, spot: Spot) -> None:
    for method, wish, kind, legs in (
        ("rest_api.order_list_oco", OCO, "OCO", 2),
        ("rest_api.order_oco", OLD_OCO, "OCO", 2),
        ("rest_api.order_list_oto", OTO, "OTO", 2),
        ("rest_api.order_list_otoco", OTOCO, "OTO", 3),
    ):
        placed = await told(spot, method, **wish)
        assert (placed.contingency_type, len(placed.orders)) == (kind, legs)
        name = {"order_list_id": placed.order_list_id}
        found = await told(spot, "rest_api.get_order_list", **name)
        assert found.list_order_status == "EXECUTING"
        (opened,) = await told(spot, "rest_api.open_order_list")
        assert opened.order_list_id == placed.order_list_id
        gone = await told(spot, "rest_api.delete_order_list", **PAIR, **name)
        assert gone.list_order_status == "ALL_DONE"
    await floor.kept()
    assert len(await told(spot, "rest_api.all_order_list")) == 4


@pytest.mark.parametrize("method", ABSENT)
async def test_what_is_not_served_is_not_found(spot: Spot, method: str) -> None:
    with pytest.raises(NotFoundError) as refused:
        await told(spot, method, **ABSENT[method])
    assert refused.value.status_code == -5000


@pytest.mark.parametrize("method", ["rest_api.send_request", "rest_api.send_signed_request"])
async def test_a_request_of_ones_own_is_a_fault_of_the_client(spot: Spot, method: str) -> None:
    with pytest.raises(TypeError, match="not subscriptable"):  # Before anything is sent.
        attrgetter(method)(spot)("/api/v3/time", "GET")


async def test_each_refusal_is_the_exception_it_has_for_it(floor: Venue, spot: Spot) -> None:
    trader = await floor.account()
    stranger, liar = sdk(trader, api_key="a" * 64), sdk(trader, api_secret="wrong")
    for who, method, fields, kind, code in (
        (spot, "rest_api.delete_order", PAIR | {"order_id": 999_999}, BadRequestError, -2011),
        (spot, "rest_api.get_order", PAIR | {"order_id": 999_999}, BadRequestError, -2013),
        (spot, "rest_api.new_order", LIMIT | {"quantity": 9}, BadRequestError, -2010),
        (spot, "rest_api.depth", {"symbol": "NOPE"}, BadRequestError, -1121),
        (stranger, "rest_api.get_account", {}, UnauthorizedError, -2015),
        (liar, "rest_api.get_account", {}, BadRequestError, -1022),
    ):
        with pytest.raises(kind) as refused:
            await told(who, method, **fields)
        assert refused.value.status_code == code


async def test_who_asks_too_much_is_told_when_to_come_back(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    async with venue(tmp_path_factory.mktemp("limits"), spot_weight_per_minute=30) as floor:
        spot = sdk(await floor.account())
        await told(spot, "rest_api.get_account")
        with pytest.raises(TooManyRequestsError) as refused:
            await told(spot, "rest_api.get_account")
        assert refused.value.status_code == -1003
