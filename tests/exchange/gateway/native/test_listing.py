"""Order lists over the door (S5)."""

from __future__ import annotations

from typing import Any

from tests.exchange.gateway.rig import Trader

BUY: dict[str, Any] = {"symbol": "BTC-USDT", "side": "buy", "type": "limit", "qty": "1"}
FIRST = BUY | {"price": "48000", "client_id": "first"}
THEN = BUY | {"side": "sell", "price": "60000", "qty": "0.9", "client_id": "then"}


async def test_s5_a_list_is_placed_and_cancelled(alice: Trader) -> None:
    asked = {"kind": "oto", "orders": [FIRST, THEN], "client_id": "both"}
    placed = (await alice.ask("POST", "/v1/orders/list", asked)).json
    assert (placed["kind"], placed["status"]) == ("oto", "executing")
    first, then = placed["orders"]
    assert (first["client_id"], first["status"]) == ("first", "open")
    assert (then["order_id"], then["status"]) == (None, "pending_new")
    named = {"list_id": placed["list_id"]}
    ended = (await alice.ask("POST", "/v1/orders/list/cancel", named)).json
    assert (ended["status"], [each["status"] for each in ended["orders"]]) == (
        "done",
        ["ended", "ended"],
    )
    assert (await alice.ask("POST", "/v1/orders/list/cancel", named)).code == "UNKNOWN_ORDER"


async def test_s5_orders_that_make_no_list_are_refused(alice: Trader) -> None:
    answer = await alice.ask("POST", "/v1/orders/list", {"kind": "oco", "orders": [FIRST, THEN]})
    assert answer.code == "LIST_SHAPE"


async def test_s5_lists_are_looked_up_open_and_past(alice: Trader) -> None:
    asked = {"kind": "oto", "orders": [FIRST, THEN], "client_id": "both"}
    placed = (await alice.ask("POST", "/v1/orders/list", asked)).json
    list_id = placed["list_id"]
    (found,) = (await alice.ask("GET", "/v1/order_lists?symbol=BTC-USDT")).json
    assert found == placed
    order = (await alice.ask("GET", "/v1/orders/client:first")).json
    assert order["list_id"] == list_id
    for name in (str(list_id), "client:both"):
        assert (await alice.ask("GET", f"/v1/order_lists/{name}")).json == placed
    ended = (await alice.ask("POST", "/v1/orders/list/cancel", {"list_id": list_id})).json
    assert (await alice.ask("GET", "/v1/order_lists")).json == []
    assert (await alice.ask("GET", "/v1/order_lists?status=all")).json == [ended]
    for name in (str(list_id), "client:both"):
        assert (await alice.ask("GET", f"/v1/order_lists/{name}")).json == ended
    assert (await alice.ask("GET", "/v1/orders/client:first")).json["list_id"] == list_id
    assert (await alice.ask("GET", f"/v1/order_lists?status=all&before_id={list_id}")).json == []


async def test_nobody_sees_the_lists_of_others(alice: Trader, bob: Trader) -> None:
    asked = {"kind": "oto", "orders": [FIRST, THEN], "client_id": "both"}
    list_id = (await alice.ask("POST", "/v1/orders/list", asked)).json["list_id"]
    assert (await bob.ask("GET", "/v1/order_lists?status=all")).json == []
    for name in (str(list_id), "client:both", "99"):
        answer = await bob.ask("GET", f"/v1/order_lists/{name}")
        assert (answer.status, answer.code) == (404, "UNKNOWN_ORDER")


async def test_a_repeated_list_answers_the_first_result(alice: Trader) -> None:
    asked = {"kind": "oto", "orders": [FIRST, THEN], "client_id": "both"}
    placed = (await alice.ask("POST", "/v1/orders/list", asked)).json
    assert placed["repeated"] is False
    again = (await alice.ask("POST", "/v1/orders/list", asked)).json
    assert again == placed | {"repeated": True}
    ended = (await alice.ask("POST", "/v1/orders/list/cancel", {"list_id": placed["list_id"]})).json
    over = (await alice.ask("POST", "/v1/orders/list", asked)).json
    assert over == ended | {"repeated": True}


async def test_a_list_is_cancelled_by_its_client_id(alice: Trader) -> None:
    asked = {"kind": "oto", "orders": [FIRST, THEN], "client_id": "both"}
    placed = (await alice.ask("POST", "/v1/orders/list", asked)).json
    ended = (await alice.ask("POST", "/v1/orders/list/cancel", {"client_id": "both"})).json
    assert (ended["list_id"], ended["status"]) == (placed["list_id"], "done")
    answer = await alice.ask("POST", "/v1/orders/list/cancel", {"client_id": "both"})
    assert (answer.status, answer.code) == (404, "UNKNOWN_ORDER")
    assert (await alice.ask("POST", "/v1/orders/list/cancel", {})).code == "MISSING_FIELD"


async def test_a_list_is_named_by_one_of_its_names(alice: Trader) -> None:
    assert (await alice.ask("GET", "/v1/order_lists/both")).code == "FIELD_OUT_OF_RANGE"
    answer = await alice.ask("GET", "/v1/order_lists/client:")
    assert answer.code == "MISSING_FIELD"
