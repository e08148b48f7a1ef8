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
