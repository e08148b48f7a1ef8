"""Settings over the door."""

from __future__ import annotations

from tests.exchange.gateway.rig import Trader

PERP = "BTC-USDT-PERP"


async def test_several_settings_are_set_in_one_request(alice: Trader) -> None:
    asked = {
        "margin_mode": {"symbol": PERP, "mode": "isolated"},
        "leverage": {"symbol": PERP, "leverage": 25},
        "margin_leverage": {"leverage": 5},
    }
    said = (await alice.ask("PUT", "/v1/settings", asked)).json
    assert said == {
        "margin_leverage": 5,
        "position_mode": "one_way",
        "symbols": {PERP: {"leverage": 25, "margin_mode": "isolated"}},
        "fee_discount": False,
        "multi_asset": False,
        "cancel_all_after_ms": {},
    }


async def test_where_one_is_refused_those_before_it_stand_and_are_named(alice: Trader) -> None:
    asked = {
        "leverage": {"symbol": PERP, "leverage": 25},
        "position_margin": {"symbol": PERP, "amount": "10"},
    }
    answer = await alice.ask("PUT", "/v1/settings", asked)
    assert answer.status == 400
    details = answer.json["error"]["details"]
    assert (details["setting"], details["done"]) == ("position_margin", ["leverage"])
    account = (await alice.ask("GET", "/v1/account")).json
    assert account["settings"]["symbols"][PERP]["leverage"] == 25


async def test_margin_of_an_isolated_position_is_added_and_taken(
    alice: Trader, bob: Trader
) -> None:
    mode = {"margin_mode": {"symbol": PERP, "mode": "isolated"}}
    await alice.ask("PUT", "/v1/settings", mode)
    await bob.order(PERP, "sell", "0.1", price="50000")
    await alice.order(PERP, "buy", "0.1", leverage=10)
    before = (await alice.ask("GET", "/v1/account")).json["positions"][0]
    add = {"position_margin": {"symbol": PERP, "amount": "100"}}
    assert (await alice.ask("PUT", "/v1/settings", add)).status == 200
    after = (await alice.ask("GET", "/v1/account")).json["positions"][0]
    assert float(after["margin"]) - float(before["margin"]) == 100
    much = {"position_margin": {"symbol": PERP, "amount": "-5000"}}
    assert (await alice.ask("PUT", "/v1/settings", much)).code == "MARGIN_NOT_REMOVABLE"


async def test_p2_legs_are_opened_margined_and_told_apart_in_hedge_mode(
    alice: Trader, bob: Trader
) -> None:
    settings = {
        "position_mode": {"hedge": True},
        "margin_mode": {"symbol": PERP, "mode": "isolated"},
    }
    said = (await alice.ask("PUT", "/v1/settings", settings)).json
    assert said["position_mode"] == "hedge"
    await bob.order(PERP, "sell", "0.2", price="50000")
    await bob.order(PERP, "buy", "0.1", price="49990")
    bought = await alice.order(PERP, "buy", "0.2", position_side="long", leverage=10)
    assert bought["order"]["position_side"] == "long"
    assert [fill["position_side"] for fill in bought["fills"]] == ["long"]
    await alice.order(PERP, "sell", "0.1", position_side="short")
    add = {"position_margin": {"symbol": PERP, "amount": "100", "position_side": "short"}}
    assert (await alice.ask("PUT", "/v1/settings", add)).status == 200
    held = (await alice.ask("GET", "/v1/account")).json["positions"]
    # 0.2 x 50000 / 10 = 1000; 0.1 x 49990 / 10 = 499.9, and 100 on it.
    assert [(one["position_side"], one["qty"], one["margin"]) for one in held] == [
        ("long", "0.200", "1000"),
        ("short", "0.100", "599.9"),
    ]


async def test_p2_the_position_mode_stands_while_anything_is_open(
    alice: Trader, bob: Trader
) -> None:
    resting = await alice.order(PERP, "buy", "0.1", price="49000")
    hedge = {"position_mode": {"hedge": True}}
    assert (await alice.ask("PUT", "/v1/settings", hedge)).code == "ORDERS_OPEN"
    await alice.ask("DELETE", f"/v1/orders/{resting['order']['order_id']}")
    await bob.order(PERP, "sell", "0.1", price="50000")
    await alice.order(PERP, "buy", "0.1")
    assert (await alice.ask("PUT", "/v1/settings", hedge)).code == "POSITION_OPEN"


async def test_p18_in_multi_asset_mode_coins_count_by_their_ratio(alice: Trader) -> None:
    coins = {"wallet": "perp", "asset": "BTC", "amount": "0.1"}
    assert (await alice.ask("POST", "/v1/faucet", coins)).code == "ASSET_NOT_IN_WALLET"
    said = (await alice.ask("PUT", "/v1/settings", {"multi_asset": {"on": True}})).json
    assert said["multi_asset"] is True
    assert (await alice.ask("POST", "/v1/faucet", coins)).status == 200
    (perp,) = (await alice.ask("GET", "/v1/account")).json["margins"]
    # 100,000 + 0.1 x 50,000 x 0.95.
    assert (perp["wallet"], perp["assets"]) == ("perp", "104750")
    bitcoin, tether = perp["collateral"]
    assert bitcoin == {
        "asset": "BTC",
        "total": "0.1",
        "price": "50000",
        "ratio": "0.95",
        "value": "4750",
        "withdrawable": "0.1",
    }
    assert (tether["asset"], tether["value"], tether["ratio"]) == ("USDT", "100000", "1")
    isolated = {"margin_mode": {"symbol": PERP, "mode": "isolated"}}
    assert (await alice.ask("PUT", "/v1/settings", isolated)).code == "MULTI_ASSET_ON"
    off = {"multi_asset": {"on": False}}
    assert (await alice.ask("PUT", "/v1/settings", off)).code == "COLLATERAL_IN_WALLET"
    told = (await alice.ask("GET", "/v1/instruments")).json["assets"]
    assert {each["asset"]: each["perp_ratio"] for each in told}["BTC"] == "0.95"
