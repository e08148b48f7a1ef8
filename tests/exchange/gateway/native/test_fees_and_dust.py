"""Fees over the door: the schedule, an account's tier, the discount setting, and dust."""

from __future__ import annotations

from tests.exchange.gateway.rig import Rig, Trader


async def test_anybody_may_read_the_schedule(rig: Rig) -> None:
    said = (await rig.ask("GET", "/v1/fees")).json
    assert (said["fee_asset"], said["discount_asset"], said["discount"]) == ("received", None, "0")
    assert said["dust_fee"] == "0.02"
    assert said["spot"][0] == {"tier": 0, "volume": "0", "maker": "0.001", "taker": "0.001"}
    assert said["spot"][4] == {
        "tier": 4,
        "volume": "100000000",
        "maker": "0.0002",
        "taker": "0.0005",
    }
    assert said["perp"][-1]["maker"] == "0"


async def test_an_account_says_its_tiers(alice: Trader) -> None:
    said = (await alice.ask("GET", "/v1/account")).json["fees"]
    assert said == {
        "spot": {"tier": 0, "volume": "0", "maker": "0.001", "taker": "0.001"},
        "perp": {"tier": 0, "volume": "0", "maker": "0.0002", "taker": "0.0005"},
    }


async def test_a_venue_without_a_discount_asset_refuses_the_setting(alice: Trader) -> None:
    asked = {"fee_discount": {"on": True}}
    answer = await alice.ask("PUT", "/v1/settings", asked)
    assert (answer.status, answer.code) == (400, "MODE_NOT_ALLOWED")
    assert (await alice.ask("GET", "/v1/account")).json["settings"]["fee_discount"] is False


async def test_v14_a_spot_balance_says_what_can_be_sold_and_its_dust_is_converted(
    rig: Rig, alice: Trader
) -> None:
    """Lots of ETH are 0.0001: of 0.01239 the last 0.00009 are dust, at 2,500 worth 0.225;
    2 % of it is 0.0045."""
    await rig.set_index("ETH-USDT", "2500")
    fund = {"wallet": "spot", "asset": "ETH", "amount": "0.01239"}
    assert (await alice.ask("POST", "/v1/faucet", fund)).status == 200
    balances = (await alice.ask("GET", "/v1/account")).json["balances"]
    sellable = {(each["wallet"], each["asset"]): each["max_sellable"] for each in balances}
    assert sellable["spot", "ETH"] == "0.0123"
    assert sellable["spot", "USDT"] is None
    asked = {"assets": ["ETH"], "client_id": "sweep"}
    for _ in range(2):  # With a client id it is done once.
        said = (await alice.ask("POST", "/v1/dust", asked)).json
        totals = {each["asset"]: each["total"] for each in said}
        assert totals == {"ETH": "0.0123", "USDT": "100000.2205"}
    ledger = (await alice.ask("GET", "/v1/ledger?reason=dust")).json
    assert [(each["asset"], each["change"]) for each in ledger] == [
        ("USDT", "0.225"),
        ("ETH", "-0.00009"),
    ]


async def test_where_there_is_no_dust_the_refusal_says_what_to_do(alice: Trader) -> None:
    answer = await alice.ask("POST", "/v1/dust", {"assets": ["ETH"]})
    assert (answer.status, answer.code) == (400, "NO_DUST")
    assert "order" in answer.json["error"]["message"]
    details = answer.json["error"]["details"]
    assert (details["rule"], details["asset"]) == ("S10", "ETH")
    answer = await alice.ask("POST", "/v1/dust", {"wallet": "margin"})
    assert answer.json["error"]["details"]["field"] == "wallet"
