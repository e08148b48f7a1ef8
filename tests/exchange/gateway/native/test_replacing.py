"""One order for another, over the door (S7)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.exchange.gateway.rig import Answer, Trader

BID = {"symbol": "BTC-USDT", "side": "buy", "type": "limit", "qty": "1", "price": "48000"}


@pytest.fixture
async def old(alice: Trader) -> int:
    """1 BTC at 49,000 holds 49,000 of the 100,000 USDT there are."""
    placed = await alice.order("BTC-USDT", "buy", "1", price="49000", client_id="old")
    return int(placed["order"]["order_id"])


async def replace(trader: Trader, cancel: Any, place: Any = BID, **more: Any) -> Answer:
    asked = {"cancel": cancel, "place": place, **more}
    return await trader.ask("POST", "/v1/orders/replace", asked)


async def test_both_halves_are_told(alice: Trader, old: int) -> None:
    said = (await replace(alice, {"order_id": old}, BID | {"qty": "2"})).json
    assert said["cancel"]["ok"] is said["place"]["ok"] is True
    gone, new = (said[half]["result"]["order"] for half in ("cancel", "place"))
    assert (gone["order_id"], gone["status"]) == (old, "cancelled")
    assert (new["status"], new["qty"]) == ("new", "2.00000")
    open_now = (await alice.ask("GET", "/v1/orders")).json
    assert [order["order_id"] for order in open_now] == [new["order_id"]]


@pytest.mark.parametrize("mode", ["stop_on_failure", "allow_failure"])
async def test_the_cancellation_stands_where_the_new_order_is_refused(
    alice: Trader, old: int, mode: str
) -> None:
    """3 x 48,000 = 144,000 of 100,000."""
    answer = await replace(alice, {"client_id": "old"}, BID | {"qty": "3"}, mode=mode)
    assert answer.status == 200
    said = answer.json
    assert said["cancel"]["result"]["order"]["order_id"] == old
    error = said["place"]["error"]
    assert (said["place"]["ok"], error["code"]) == (False, "INSUFFICIENT_BALANCE")
    why = await alice.ask("GET", f"/v1/why/{error['details']['why']}")
    assert why.json["rule"] == "S11"
    assert (await alice.ask("GET", "/v1/orders")).json == []


async def test_where_nothing_can_be_cancelled_nothing_is_placed(alice: Trader, old: int) -> None:
    answer = await replace(alice, {"order_id": old + 1})
    assert answer.code == "CANCEL_REPLACE_STOPPED"
    details = answer.json["error"]["details"]
    assert details["cancel_refused"] == "UNKNOWN_ORDER"
    why = await alice.ask("GET", f"/v1/why/{details['why']}")
    assert why.status == 200
    assert len((await alice.ask("GET", "/v1/orders")).json) == 1


async def test_unless_failure_is_allowed(alice: Trader, old: int) -> None:
    said = (await replace(alice, {"client_id": "nobody"}, mode="allow_failure")).json
    assert said["cancel"] == {
        "ok": False,
        "error": {
            "code": "UNKNOWN_ORDER",
            "message": "there is no open order of that id on this account",
            "details": {},
        },
    }
    assert said["place"]["result"]["order"]["status"] == "new"
    both = await replace(alice, {"client_id": "nobody"}, BID | {"qty": "9"}, mode="allow_failure")
    assert both.code == "INSUFFICIENT_BALANCE"
    assert both.json["error"]["details"]["cancel_refused"] == "UNKNOWN_ORDER"


async def test_a_repetition_says_what_the_first_one_did(alice: Trader, old: int) -> None:
    place = BID | {"client_id": "new"}
    first = (await replace(alice, {"order_id": old}, place)).json
    again = (await replace(alice, {"order_id": old}, place)).json
    assert again["place"]["result"]["repeated"] is True
    for half in ("cancel", "place"):
        ids = [said[half]["result"]["order"]["order_id"] for said in (first, again)]
        assert ids[0] == ids[1]
    filled = (await alice.ask("GET", "/v1/orders?status=all")).json
    assert len(filled) == 2


@pytest.mark.parametrize(
    ("cancel", "place", "code"),
    [
        ({}, BID, "MISSING_FIELD"),
        ({"order_id": 1, "client_id": "old"}, BID, "COMBINATION_NOT_ALLOWED"),
        ({"order_id": 1}, BID | {"price": "48000.001"}, "PRICE_NOT_ON_TICK"),
        ({"order_id": 1}, BID | {"symbol": "X-Y"}, "UNKNOWN_SYMBOL"),
        ({"order_id": 1}, {}, "MISSING_FIELD"),
    ],
)
async def test_what_cannot_be_read_cancels_nothing(
    alice: Trader, old: int, cancel: Any, place: Any, code: str
) -> None:
    assert (await replace(alice, cancel, place)).code == code
    assert len((await alice.ask("GET", "/v1/orders")).json) == 1
