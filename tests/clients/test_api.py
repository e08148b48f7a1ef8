"""Tests of the async client, against a small exchange."""

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
import pytest_asyncio

from clients.api import Papertape, websocket_url
from clients.errors import PapertapeError
from clients.wishes import exit_at, order
from exchange import wire
from tests.clients.fake_exchange import ADMIN, KEY, SECRET, FakeExchange, Refused
from tests.clients.wire_samples import NOON


@pytest_asyncio.fixture
async def pt(exchange: FakeExchange) -> AsyncIterator[Papertape]:
    async with Papertape(exchange.url, KEY, SECRET, admin_key=ADMIN) as client:
        yield client


def frames(exchange: FakeExchange, op: str) -> list[dict]:
    return [frame for frame in exchange.asked if frame["op"] == op]


async def test_an_account_can_be_opened_without_a_key(exchange: FakeExchange) -> None:
    async with Papertape(exchange.url) as nobody:
        opened = await nobody.open_account("me")
    assert (opened.account_id, opened.api_key) == (100, KEY)


async def test_a_market_order_is_filled(exchange: FakeExchange, pt: Papertape) -> None:
    placed = await pt.place("BTC-USDT", "buy", Decimal("0.5"))
    assert placed.order.status == "filled"
    assert [fill.price for fill in placed.fills] == ["50001"]
    (frame,) = frames(exchange, "order.place")
    assert (frame["type"], frame["qty"]) == ("market", "0.5")
    assert "price" not in frame


async def test_every_change_carries_a_client_id_of_its_own(
    exchange: FakeExchange, pt: Papertape
) -> None:
    await pt.place("BTC-USDT", "buy", 1, price=100)
    await pt.place("BTC-USDT", "buy", 1, price=100)
    await pt.transfer("spot", "margin", "USDT", 10)
    await pt.faucet("spot", "USDT", 10)
    await pt.borrow("margin", "USDT", 10)
    await pt.repay("margin", "USDT")
    await pt.position_margin("BTC-USDT-PERP", 10)
    ids = [frame["client_id"] for frame in exchange.asked if "client_id" in frame]
    assert len(ids) == len(set(ids)) == 7
    assert all(0 < len(each) <= 36 for each in ids)


async def test_hedge_mode_is_set_and_a_leg_is_named(exchange: FakeExchange, pt: Papertape) -> None:
    await pt.set_position_mode(hedge=True)
    await pt.position_margin("BTC-USDT-PERP", 10, position_side="short")
    mode, margin = exchange.asked[-2:]
    assert (mode["op"], mode["hedge"]) == ("position_mode.set", True)
    assert (margin["position_side"], margin["amount"]) == ("short", "10")


async def test_an_order_lost_with_its_connection_is_placed_once(
    exchange: FakeExchange, pt: Papertape
) -> None:
    exchange.break_before_reply.append("order.place")
    placed = await pt.place("BTC-USDT", "buy", 1, price=100)
    assert len(exchange.orders) == 1
    assert placed.order.order_id == 1
    assert pt.connections == 2


async def test_a_cancel_lost_with_its_connection_still_says_cancelled(
    exchange: FakeExchange, pt: Papertape
) -> None:
    placed = await pt.place("BTC-USDT", "buy", 1, price=100, client_id="mine")
    exchange.break_before_reply.append("order.cancel")
    assert (await pt.cancel(client_id="mine")).status == "cancelled"
    assert exchange.orders[placed.order.order_id].status == "cancelled"


async def test_a_cancel_of_what_is_filled_is_refused_even_after_a_break(
    exchange: FakeExchange, pt: Papertape
) -> None:
    placed = await pt.place("BTC-USDT", "buy", 1)
    exchange.break_before_reply.append("order.cancel")
    with pytest.raises(PapertapeError, match="UNKNOWN_ORDER"):
        await pt.cancel(placed.order.order_id)


async def test_an_amend_lost_with_its_connection_tells_the_order_as_it_stands(
    exchange: FakeExchange, pt: Papertape
) -> None:
    placed = await pt.place("BTC-USDT", "buy", 1, price=100)
    exchange.break_before_reply.append("order.amend")
    assert (await pt.amend(placed.order.order_id, price=99)).price == "99"
    with pytest.raises(PapertapeError, match="NOTHING_TO_AMEND"):
        await pt.amend(placed.order.order_id, price=99)


async def test_a_setting_lost_with_its_connection_counts_as_made(
    exchange: FakeExchange, pt: Papertape
) -> None:
    await pt.account()
    exchange.break_before_reply.append("margin_mode.set")
    settings = await pt.set_margin_mode("BTC-USDT-PERP", "isolated")
    assert settings["margin_leverage"] == 3
    exchange.refuse["margin_mode.set"] = Refused("MODE_UNCHANGED")
    with pytest.raises(PapertapeError, match="MODE_UNCHANGED"):
        await pt.set_margin_mode("BTC-USDT-PERP", "isolated")


async def test_cancel_all_says_what_it_cancelled(pt: Papertape) -> None:
    for price in (100, 101):
        await pt.place("BTC-USDT", "buy", 1, price=price)
    assert [order.price for order in await pt.cancel_all("BTC-USDT")] == ["100", "101"]
    assert await pt.orders() == []


async def test_a_batch_places_amends_and_cancels(exchange: FakeExchange, pt: Papertape) -> None:
    first = await pt.place("BTC-USDT", "buy", 1, price=100)
    said = await pt.batch(
        order("BTC-USDT", "buy", 1, price=101),
        wire.AmendAsk(first.order.order_id, price="99"),
        wire.OrderKey(first.order.order_id),
        wire.OrderKey(first.order.order_id),
    )
    assert [item.ok for item in said] == [True, True, True, False]
    results = [item.result.order for item in said if item.result]
    assert [(each.price, each.status) for each in results] == [
        *(("101", "new"), ("99", "new"), ("99", "cancelled")),
    ]
    assert said[3].error is not None
    assert said[3].error.code == "UNKNOWN_ORDER"
    (frame,) = frames(exchange, "order.batch")
    ops = [item["op"] for item in frame["orders"]]
    assert ops == ["order.place", "order.amend", "order.cancel", "order.cancel"]
    assert frame["orders"][0]["client_id"]


async def test_an_order_of_a_batch_is_placed_once_over_a_break(
    exchange: FakeExchange, pt: Papertape
) -> None:
    exchange.break_before_reply.append("order.batch")
    await pt.batch(order("BTC-USDT", "buy", 1, price=100))
    assert len(exchange.orders) == 1
    assert pt.connections == 2


async def test_an_order_is_replaced_and_both_halves_are_told(
    exchange: FakeExchange, pt: Papertape
) -> None:
    first = await pt.place("BTC-USDT", "buy", 1, price=100)
    new = order("BTC-USDT", "buy", 2, price=101)
    said = await pt.replace(new, first.order.order_id)
    assert said.cancel.result is not None
    assert said.place.result is not None
    assert (said.cancel.result.order.status, said.place.result.order.qty) == ("cancelled", "2")
    with pytest.raises(PapertapeError, match="CANCEL_REPLACE_STOPPED"):
        await pt.replace(new, first.order.order_id)
    allowed = await pt.replace(new, client_id="nobody", mode="allow_failure")
    assert (allowed.cancel.ok, allowed.place.ok) == (False, True)
    ids = [frame["place"]["client_id"] for frame in frames(exchange, "order.replace")]
    assert len(set(ids)) == 3


async def test_orders_hang_together_and_are_cancelled_together(
    exchange: FakeExchange, pt: Papertape
) -> None:
    legs = order("BTC-USDT", "buy", 1, price=100), order("BTC-USDT", "sell", 1, price=60_000)
    placed = await pt.place_list("oto", *legs)
    assert [leg.status for leg in placed.orders] == ["open", "pending_new"]
    assert frames(exchange, "order.list_place")[0]["client_id"] == placed.client_id != ""
    assert await pt.order_lists("BTC-USDT") == [placed]
    assert await pt.order_list(client_id=placed.client_id) == placed
    exchange.break_before_reply.append("order.list_cancel")
    ended = await pt.cancel_list(placed.list_id)
    assert ended.status == "done"
    assert await pt.order_list(placed.list_id) == ended
    assert (await pt.order_lists(), await pt.order_lists(status="all")) == ([], [ended])
    with pytest.raises(PapertapeError, match="UNKNOWN_ORDER"):
        await pt.cancel_list(placed.list_id)


async def test_exits_come_with_an_order(exchange: FakeExchange, pt: Papertape) -> None:
    loss = exit_at(90, price="89.5", trigger="mark")
    await pt.preview("BTC-USDT-PERP", "buy", 1, price=100, take_profit=120, stop_loss=loss)
    await pt.place("BTC-USDT-PERP", "buy", 1, price=100, take_profit=120, stop_loss=loss)
    (frame,) = frames(exchange, "order.place")
    assert frame["take_profit"] == {"trigger_price": "120"}
    assert frame["stop_loss"] == {"trigger_price": "90", "price": "89.5", "trigger": "mark"}


async def test_a_dead_man_switch_is_set_and_ended(exchange: FakeExchange, pt: Papertape) -> None:
    assert (await pt.cancel_all_after(60_000)).at_ms == NOON + 60_000
    assert (await pt.cancel_all_after(0, "BTC-USDT")).at_ms is None
    asked = [
        {name: frame[name] for name in ("countdown_ms", "symbol") if name in frame}
        for frame in frames(exchange, "cancel_all_after")
    ]
    assert asked == [{"countdown_ms": 60_000}, {"countdown_ms": 0, "symbol": "BTC-USDT"}]


async def test_a_refusal_carries_its_numbers(pt: Papertape) -> None:
    with pytest.raises(PapertapeError) as told:
        await pt.transfer("spot", "perp", "USDT", 1_000_000)
    assert told.value.code == "INSUFFICIENT_BALANCE"
    assert told.value.details == {"needed": "1000000"}


async def test_money_moves_and_loans_are_taken_and_repaid(pt: Papertape) -> None:
    source, target = await pt.transfer("spot", "margin", "USDT", "1000")
    assert (source.total, target.total) == ("99000", "1000")
    loan = await pt.borrow("margin", "BTC", "0.1")
    assert (loan.principal, loan.borrowed) == ("0.1", "0.1")
    loan = await pt.repay("margin", "BTC", "0.04")
    assert (loan.principal, loan.repaid_principal) == ("0.06", "0.04")


async def test_fees_are_read_and_dust_is_converted(exchange: FakeExchange, pt: Papertape) -> None:
    tier = {"tier": 0, "volume": "0", "maker": "0.001", "taker": "0.001"}
    exchange.history["/fees"] = {
        "fee_asset": "discount",
        "discount_asset": "BNB",
        "discount": "0.25",
        "dust_fee": "0.02",
        "spot": [tier],
        "perp": [tier],
    }
    fees = await pt.fees()
    assert (fees.discount_asset, fees.spot[0].taker) == ("BNB", "0.001")
    assert (await pt.set_fee_discount(True))["margin_leverage"] == 3
    assert frames(exchange, "fee_discount.set")[0]["on"] is True
    assert (await pt.set_multi_asset(False))["margin_leverage"] == 3
    assert frames(exchange, "multi_asset.set")[0]["on"] is False
    await pt.faucet("spot", "BTC", "0.000001")
    (balance,) = await pt.convert_dust("BTC")
    assert (balance.wallet, balance.asset) == ("spot", "BTC")
    assert frames(exchange, "dust.convert")[0]["client_id"]


async def test_questions_are_typed(exchange: FakeExchange, pt: Papertape) -> None:
    assert (await pt.account()).account_id == 100
    assert [i.symbol for i in (await pt.instruments()).instruments] == [
        "BTC-USDT",
        "BTC-USDT-PERP",
    ]
    assert (await pt.book("BTC-USDT")).bids[0] == ("49999", "1.5")
    assert await pt.trades("BTC-USDT") == []
    assert await pt.candles("BTC-USDT", "5m") == []
    assert (await pt.preview("BTC-USDT-PERP", "buy", 1)).liquidation_price == "60000"
    assert (await pt.pnl()).funding == "4"
    assert (await pt.why("fill", "BTC-USDT:7")).rule == "S1"
    assert all(exchange.signatures)


async def test_the_administrator_sets_prices_clock_and_states(pt: Papertape) -> None:
    assert await pt.set_index("BTC-USDT", Decimal("51000")) == {"price": "51000"}
    assert await pt.set_state("BTC-USDT", "halt") == {"state": "halt"}
    with pytest.raises(ValueError, match="Invalid enum value"):
        await pt.set_state("BTC-USDT", "asleep")


async def test_events_arrive_typed(exchange: FakeExchange, pt: Papertape) -> None:
    events = pt.subscribe("orders", "fills")
    assert (await anext(events)).channel == "account"
    await pt.place("BTC-USDT", "buy", 1)
    filled, changed = await anext(events), await anext(events)
    assert (changed.channel, changed.data.status) == ("orders", "filled")
    assert (filled.channel, filled.data.price) == ("fills", "50001")


def test_a_key_without_its_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="come together"):
        Papertape("http://127.0.0.1:8080", "key")


@pytest.mark.parametrize(
    ("url", "socket"),
    [
        ("http://127.0.0.1:8080", "ws://127.0.0.1:8080/v1/ws"),
        ("https://paper.example/", "wss://paper.example/v1/ws"),
    ],
)
def test_the_socket_is_at_the_address_of_the_exchange(url: str, socket: str) -> None:
    assert websocket_url(url) == socket


@pytest.mark.parametrize("url", ["127.0.0.1:8080", "ftp://x", ""])
def test_another_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="http"):
        websocket_url(url)


async def test_a_stake_is_compared_both_ways(exchange: FakeExchange) -> None:
    only = wire.WaySay("NEAR-USDT", True, None, None, 3, qty="750", borrowed="2000")
    said = wire.CompareSay("paper", "NEAR", "USDT", "1000", 3, "long", 24, "4", only, None)
    exchange.history["/compare"] = said
    async with Papertape(exchange.url) as nobody:
        assert await nobody.compare("NEAR", stake="1000", leverage=3) == said
