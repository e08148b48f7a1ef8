"""The page on orders over the API: what it sends is obeyed as it says, over a real door."""

from __future__ import annotations

import re
from pathlib import Path

from exchange.gateway.native.routes import BY_OP, REST_ROUTES
from tests.exchange.gateway.rig import Rig, Trader

PAGE = (Path(__file__).parents[4] / "docs" / "orders-api.md").read_text("utf-8")
BATCH, REPLACE, LIST, BRACKET, TRAILING = (
    re.sub(r"^ {4}", "", block, flags=re.MULTILINE)
    for block in re.findall(r"(?:^ {4}.*\n)+", PAGE, flags=re.MULTILINE)
)


def test_every_address_and_operation_on_the_page_is_served() -> None:
    served = {(route.method, route.path) for route in REST_ROUTES}
    told = re.findall(r"`(GET|POST|PATCH) (/v1/[a-z_/{}]+)`", PAGE)
    assert len(told) > 6
    assert set(told) <= served
    assert set(re.findall(r"`(order\.[a-z_]+|cancel_all_after)`", PAGE)) <= set(BY_OP)


async def limit(trader: Trader, side: str, price: str, **more: str) -> int:
    fields = {"symbol": "BTC-USDT", "side": side, "type": "limit", "qty": "0.01", "price": price}
    placed = (await trader.ask("POST", "/v1/orders", fields | more)).json
    order_id: int = placed["order"]["order_id"]
    return order_id


async def test_the_batch_places_amends_and_cancels(rig: Rig, alice: Trader) -> None:
    coins = {"wallet": "spot", "asset": "BTC", "amount": "2"}
    assert (await alice.ask("POST", "/v1/faucet", coins)).status == 200
    asked = await limit(alice, "sell", "51000")
    await limit(alice, "sell", "51500", client_id="ask-3")
    body = BATCH.replace("812", str(asked))
    said = (await alice.ask("POST", "/v1/orders/batch", body.encode())).json
    assert [each["ok"] for each in said] == [True, True, True]
    assert said[1]["result"]["order"]["price"] == "50990.50"
    assert said[2]["result"]["order"]["status"] == "cancelled"
    place = (
        '{"symbol": "BTC-USDT", "side": "buy", "type": "limit", "qty": "0.01", "price": "48500"}'
    )
    body = REPLACE.replace("{...}", place)
    body = body.replace("812", str(said[1]["result"]["order"]["order_id"]))
    both = (await alice.ask("POST", "/v1/orders/replace", body.encode())).json
    assert (both["cancel"]["ok"], both["place"]["ok"]) == (True, True)


async def test_the_list_and_the_order_that_follows_are_taken(rig: Rig, alice: Trader) -> None:
    coins = {"wallet": "spot", "asset": "BTC", "amount": "2"}
    assert (await alice.ask("POST", "/v1/faucet", coins)).status == 200
    said = (await alice.ask("POST", "/v1/orders/list", LIST.encode())).json
    assert [leg["status"] for leg in said["orders"]] == ["open", "open"]
    order = (await alice.ask("POST", "/v1/orders", BRACKET.encode())).json["order"]
    found = (await alice.ask("GET", f"/v1/order_lists/{order['list_id']}")).json
    assert (found["kind"], found["bracket"], len(found["orders"])) == ("otoco", True, 3)
    order = (await alice.ask("POST", "/v1/orders", TRAILING.encode())).json["order"]
    assert (order["status"], order["trailing_bps"]) == ("pending_trigger", 200)
