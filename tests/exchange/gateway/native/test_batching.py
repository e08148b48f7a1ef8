"""Several orders by one request, over the door."""

from __future__ import annotations

from typing import Any

from exchange.config import Config, Limits, Server
from matching.limits import BATCH_ORDERS_MAX
from tests.exchange.gateway.rig import ADMIN_KEY, Rig, Trader, running

GOOD = {"symbol": "BTC-USDT", "side": "buy", "type": "limit", "qty": "0.01", "price": "49000"}


async def batch(trader: Trader, *items: Any) -> list[Any]:
    answer = await trader.ask("POST", "/v1/orders/batch", {"orders": items})
    assert answer.status == 200, answer.body
    said = answer.json
    assert isinstance(said, list)
    return said


def codes(said: list[Any]) -> list[str | None]:
    return [item.get("error", {}).get("code") for item in said]


async def test_each_order_of_a_batch_is_judged_by_itself(alice: Trader) -> None:
    said = await batch(
        alice,
        GOOD,
        GOOD | {"price": "49000.001"},
        GOOD | {"colour": "red"},
        GOOD | {"qty": "1000"},
        GOOD | {"price": "48000"},
    )
    assert codes(said) == [None, "PRICE_NOT_ON_TICK", "UNKNOWN_FIELD", "INSUFFICIENT_BALANCE", None]
    assert [item["ok"] for item in said] == [True, False, False, False, True]
    first, last = said[0]["result"]["order"], said[4]["result"]["order"]
    assert first["order_id"] < last["order_id"]
    assert said[3]["error"]["details"]["why"].startswith("reject/")
    assert len((await alice.ask("GET", "/v1/orders")).json) == 2


async def test_a_batch_places_amends_and_cancels_in_its_order(alice: Trader) -> None:
    kept, moved, gone = [
        (await alice.order("BTC-USDT", "buy", "0.02", price=price, client_id=name))["order"]
        for name, price in (("kept", "49000"), ("moved", "48000"), ("gone", "47000"))
    ]
    said = await batch(
        alice,
        {"op": "order.amend", "order_id": kept["order_id"], "qty": "0.01"},
        {"op": "order.amend", "client_id": "moved", "price": "48500"},
        {"op": "order.cancel", "client_id": "gone"},
        {"op": "order.place", **GOOD, "client_id": "fresh"},
        {"op": "order.cancel", "client_id": "fresh"},
        {"op": "order.cancel", "order_id": gone["order_id"]},
        {"op": "order.amend", "client_id": "nobody", "qty": "1"},
    )
    assert codes(said) == [None] * 5 + ["UNKNOWN_ORDER"] * 2
    orders = [item["result"]["order"] for item in said[:5]]
    # S7: less quantity keeps the id, another price makes a new order.
    assert (orders[0]["order_id"], orders[0]["qty"]) == (kept["order_id"], "0.01000")
    assert orders[1]["order_id"] > gone["order_id"] > moved["order_id"]
    assert [order["status"] for order in orders] == ["new", "new", "cancelled", "new", "cancelled"]
    open_now = (await alice.ask("GET", "/v1/orders")).json
    assert [order["client_id"] for order in open_now] == ["moved", "kept"]


async def test_an_amendment_that_takes_says_its_fills(alice: Trader, bob: Trader) -> None:
    await alice.ask("POST", "/v1/faucet", {"wallet": "spot", "asset": "BTC", "amount": "1"})
    await alice.order("BTC-USDT", "sell", "0.01", price="50100")
    bid = (await bob.order("BTC-USDT", "buy", "0.01", price="49000"))["order"]
    (said,) = await batch(bob, {"op": "order.amend", "order_id": bid["order_id"], "price": "50100"})
    assert [fill["price"] for fill in said["result"]["fills"]] == ["50100.00"]


async def test_what_a_batch_does_not_take_is_refused_alone(alice: Trader) -> None:
    said = await batch(
        alice,
        {"op": "order.preview", **GOOD},
        {"op": ["order.place"], **GOOD},
        {"op": "order.cancel"},
        {"op": "order.amend", "order_id": 1, "colour": "red"},
        GOOD,
    )
    assert codes(said) == [
        *("UNKNOWN_OPERATION", "UNKNOWN_OPERATION", "MISSING_FIELD", "UNKNOWN_FIELD", None)
    ]


async def test_a_batch_without_a_single_wish_reaches_nobody(rig: Rig, alice: Trader) -> None:
    before = rig.doors.engine.seq
    assert codes(await batch(alice, {"op": "order.list"}, {})) == [
        *("UNKNOWN_OPERATION", "MISSING_FIELD"),
    ]
    assert rig.doors.engine.seq == before


async def test_a_batch_is_kept_as_one_group(rig: Rig, alice: Trader) -> None:
    groups: list[int] = []
    rig.doors.sequencer.listeners.append(lambda group: groups.append(len(group)))
    await batch(alice, *[GOOD | {"qty": "0.0002"}] * BATCH_ORDERS_MAX)
    assert groups == [BATCH_ORDERS_MAX]


async def test_a_batch_has_a_bound(alice: Trader) -> None:
    body = {"orders": [GOOD] * (BATCH_ORDERS_MAX + 1)}
    answer = await alice.ask("POST", "/v1/orders/batch", body)
    assert answer.code == "BATCH_TOO_LARGE"
    assert answer.json["error"]["details"] == {"max": 50, "given": 51}


async def test_every_item_of_a_batch_counts_as_an_order(tmp_path) -> None:
    config = Config(server=Server(admin_key=ADMIN_KEY), limits=Limits(orders_per_10_seconds=5))
    async with running(tmp_path, config=config) as rig:
        await rig.set_index("BTC-USDT", "50000")
        trader = await rig.open_account()
        await batch(trader, GOOD, {"op": "order.cancel", "order_id": 9}, GOOD)
        answer = await trader.ask("POST", "/v1/orders/batch", {"orders": [GOOD] * 3})
        assert answer.code == "RATE_LIMITED"
        assert codes(await batch(trader, GOOD, GOOD)) == [None, None]


async def test_a_batch_with_client_ids_is_placed_once(alice: Trader) -> None:
    items = [GOOD | {"client_id": name} for name in ("a", "b")]
    first = await batch(alice, *items)
    again = await batch(alice, *items)
    assert [item["result"]["repeated"] for item in again] == [True, True]
    ids = [[item["result"]["order"]["order_id"] for item in said] for said in (first, again)]
    assert ids[0] == ids[1]
