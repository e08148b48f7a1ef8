"""Orders over the door: placed, filled, looked up, amended, cancelled, previewed."""

from __future__ import annotations

from typing import Any

from tests.exchange.gateway.rig import Rig, Trader


async def test_a_resting_order_is_told_as_it_stands(alice: Trader) -> None:
    placed = await alice.order("BTC-USDT", "buy", "0.01", price="49000", client_id="mine")
    order = placed["order"]
    assert placed["fills"] == []
    assert placed["repeated"] is False
    assert order["status"] == "new"
    assert (order["price"], order["qty"], order["open_qty"]) == ("49000.00", "0.01000", "0.01000")
    assert (order["wallet"], order["tif"], order["client_id"]) == ("spot", "GTC", "mine")
    for name in (str(order["order_id"]), "client:mine"):
        found = await alice.ask("GET", f"/v1/orders/{name}")
        assert found.json == order


async def test_two_orders_meet_and_both_sides_are_told(alice: Trader, bob: Trader) -> None:
    await alice.order("BTC-USDT-PERP", "sell", "0.1", price="50000")
    placed = await bob.order("BTC-USDT-PERP", "buy", "0.1", leverage=10)
    order, (fill,) = placed["order"], placed["fills"]
    assert (order["status"], order["average_price"]) == ("filled", "50000")
    # 0.1 x 50,000 = 5,000; the taker's fee is 0.05 % of it.
    assert (fill["quote"], fill["fee"], fill["fee_asset"]) == ("5000", "2.5", "USDT")
    assert fill["maker"] is False
    (made,) = (await alice.ask("GET", "/v1/fills")).json
    # The maker's fee is 0.02 %.
    assert (made["maker"], made["fee"], made["trade_id"]) == (True, "1", fill["trade_id"])
    account = (await bob.ask("GET", "/v1/account")).json
    (position,) = account["positions"]
    assert (position["side"], position["qty"], position["leverage"]) == ("long", "0.100", 10)


async def test_a_market_order_on_an_empty_book_is_refused_or_expires(alice: Trader) -> None:
    fields = {"symbol": "BTC-USDT", "side": "buy", "type": "market", "qty": "0.01"}
    answer = await alice.ask("POST", "/v1/orders", fields)
    if answer.status == 201:
        assert answer.json["order"]["status"] == "expired"
        assert answer.json["order"]["reason"] == "NO_LIQUIDITY"
    else:
        assert answer.code == "NO_LIQUIDITY"


async def test_the_first_result_is_answered_with_its_fills(alice: Trader, bob: Trader) -> None:
    await alice.order("BTC-USDT", "buy", "0.01", price="50000")
    fields = {"wallet": "spot", "asset": "BTC", "amount": "1"}
    assert (await bob.ask("POST", "/v1/faucet", fields)).status == 200
    first = await bob.order("BTC-USDT", "sell", "0.01", client_id="once")
    again = await bob.order("BTC-USDT", "sell", "0.01", client_id="once")
    assert again["repeated"] is True
    assert again["order"] == first["order"]
    assert again["fills"] == first["fills"]


async def test_open_orders_are_listed_newest_first(alice: Trader) -> None:
    ids = [
        (await alice.order("BTC-USDT", "buy", "0.01", price=price))["order"]["order_id"]
        for price in ("49000", "48000", "47000")
    ]
    await alice.order("ETH-USDT", "buy", "0.1", price="2400")
    listed = await alice.ask("GET", "/v1/orders?symbol=BTC-USDT&limit=2")
    assert [order["order_id"] for order in listed.json] == [ids[2], ids[1]]
    earlier = await alice.ask("GET", f"/v1/orders?symbol=BTC-USDT&before_id={ids[1]}")
    assert [order["order_id"] for order in earlier.json] == [ids[0]]


async def test_closed_orders_come_from_the_history(alice: Trader) -> None:
    order_id = (await alice.order("BTC-USDT", "buy", "0.01", price="49000"))["order"]["order_id"]
    cancelled = (await alice.ask("DELETE", f"/v1/orders/{order_id}")).json
    assert (cancelled["status"], cancelled["reason"]) == ("cancelled", "CANCELLED_BY_USER")
    assert (await alice.ask("GET", "/v1/orders")).json == []
    (listed,) = (await alice.ask("GET", "/v1/orders?status=all")).json
    assert listed == cancelled
    assert (await alice.ask("GET", f"/v1/orders/{order_id}")).json == cancelled


async def test_another_accounts_order_is_unknown(alice: Trader, bob: Trader) -> None:
    order_id = (await alice.order("BTC-USDT", "buy", "0.01", price="49000"))["order"]["order_id"]
    for method in ("GET", "DELETE"):
        assert (await bob.ask(method, f"/v1/orders/{order_id}")).code == "UNKNOWN_ORDER"
    await alice.ask("DELETE", f"/v1/orders/{order_id}")
    assert (await bob.ask("GET", f"/v1/orders/{order_id}")).code == "UNKNOWN_ORDER"


async def test_an_order_is_amended_by_either_name(alice: Trader) -> None:
    placed = await alice.order("BTC-USDT", "buy", "0.02", price="49000", client_id="mine")
    order_id = placed["order"]["order_id"]
    less = await alice.ask("PATCH", f"/v1/orders/{order_id}", {"qty": "0.01"})
    assert (less.status, less.json["qty"], less.json["order_id"]) == (200, "0.01000", order_id)
    moved = await alice.ask("PATCH", "/v1/orders/client:mine", {"price": "48000"})
    assert (moved.status, moved.json["price"], moved.json["status"]) == (200, "48000.00", "new")
    same = await alice.ask("PATCH", "/v1/orders/client:mine", {"price": "48000"})
    assert same.code == "NOTHING_TO_AMEND"


async def test_all_orders_of_a_symbol_are_cancelled_and_told(alice: Trader) -> None:
    for price in ("49000", "48000"):
        await alice.order("BTC-USDT", "buy", "0.01", price=price)
    await alice.order("ETH-USDT", "buy", "0.1", price="2400")
    ended = (await alice.ask("DELETE", "/v1/orders?symbol=BTC-USDT")).json
    assert [(order["symbol"], order["status"]) for order in ended] == [
        ("BTC-USDT", "cancelled")
    ] * 2
    assert len((await alice.ask("DELETE", "/v1/orders")).json) == 1
    assert (await alice.ask("DELETE", "/v1/orders")).json == []


async def test_a_preview_says_the_costs_and_sends_nothing(rig: Rig, alice: Trader) -> None:
    leverage = {"leverage": {"symbol": "BTC-USDT-PERP", "leverage": 10}}
    assert (await alice.ask("PUT", "/v1/settings", leverage)).status == 200
    before = rig.digest()
    fields = {
        "symbol": "BTC-USDT-PERP",
        "side": "buy",
        "type": "limit",
        "qty": "0.1",
        "price": "50000",
    }
    said = (await alice.ask("POST", "/v1/orders/preview", fields)).json
    assert said["accepted"] is True
    # 0.1 x 50,000 x 0.05 % = 2.5, and at ten times leverage it binds 500 besides fees.
    assert (said["fee"], said["fee_asset"]) == ("2.5", "USDT")
    assert float(said["margin_required"]) >= 500
    refused = (await alice.ask("POST", "/v1/orders/preview", fields | {"qty": "50"})).json
    assert (refused["accepted"], refused["reason"]) == (False, "INSUFFICIENT_MARGIN")
    assert refused["message"]
    assert rig.digest() == before


BRACKET: dict[str, Any] = {
    "symbol": "BTC-USDT-PERP",
    "side": "buy",
    "type": "limit",
    "qty": "0.1",
    "price": "50000",
    "take_profit": {"trigger_price": "55000"},
    "stop_loss": {"trigger_price": "48000", "price": "47900", "trigger": "mark"},
}


async def test_p16_exits_come_with_an_order_and_hang_on_its_list(
    alice: Trader, bob: Trader
) -> None:
    placed = (await alice.ask("POST", "/v1/orders", BRACKET)).json
    list_id = placed["order"]["list_id"]
    (found,) = (await alice.ask("GET", "/v1/order_lists")).json
    assert (found["list_id"], found["kind"], found["bracket"]) == (list_id, "otoco", True)
    assert [leg["status"] for leg in found["orders"]] == ["open", "pending_new", "pending_new"]
    await bob.order("BTC-USDT-PERP", "sell", "0.1", price="50000")
    loss, gain = (await alice.ask("GET", "/v1/orders")).json
    assert (gain["type"], gain["reduce_only"], gain["qty"]) == ("take_profit", True, "0.100")
    assert (loss["type"], loss["price"], loss["trigger"]) == ("stop_limit", "47900.0", "mark")
    assert gain["list_id"] == loss["list_id"] == list_id


async def test_a_batch_takes_exits_too(alice: Trader) -> None:
    wrong = BRACKET | {"stop_loss": {"trigger_price": "51000"}}
    said = (await alice.ask("POST", "/v1/orders/batch", {"orders": [BRACKET, wrong]})).json
    assert said[0]["result"]["order"]["list_id"] == 1
    assert said[1]["error"]["code"] == "BRACKET_PRICES"


async def test_a_preview_says_whether_the_exits_would_be_taken(rig: Rig, alice: Trader) -> None:
    before = rig.digest()
    said = (await alice.ask("POST", "/v1/orders/preview", BRACKET)).json
    assert (said["accepted"], said["fee"]) == (True, "2.5")
    wrong = BRACKET | {"stop_loss": {"trigger_price": "51000"}}
    said = (await alice.ask("POST", "/v1/orders/preview", wrong)).json
    assert (said["accepted"], said["reason"]) == (False, "BRACKET_PRICES")
    assert rig.digest() == before


async def test_a_margin_mode_that_disagrees_is_refused_until_it_is_set(alice: Trader) -> None:
    fields = {
        "symbol": "BTC-USDT-PERP",
        "side": "buy",
        "type": "limit",
        "qty": "0.1",
        "price": "49000",
        "margin": "isolated",
    }
    assert (await alice.ask("POST", "/v1/orders", fields)).code == "COMBINATION_NOT_ALLOWED"
    mode = {"margin_mode": {"symbol": "BTC-USDT-PERP", "mode": "isolated"}}
    assert (await alice.ask("PUT", "/v1/settings", mode)).status == 200
    assert (await alice.ask("POST", "/v1/orders", fields)).status == 201
