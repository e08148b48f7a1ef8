"""The faucet, transfers, loans and repayments over the door."""

from __future__ import annotations

from tests.exchange.gateway.rig import Rig, Trader


async def test_the_faucet_gives_and_says_what_there_is(alice: Trader) -> None:
    asked = {"wallet": "margin", "asset": "BTC", "amount": "1.5"}
    (balance,) = (await alice.ask("POST", "/v1/faucet", asked)).json
    assert (balance["wallet"], balance["asset"]) == ("margin", "BTC")
    assert (balance["total"], balance["free"], balance["net"]) == ("1.5", "1.5", "1.5")


async def test_with_a_client_id_the_faucet_gives_once(alice: Trader) -> None:
    asked = {"wallet": "spot", "asset": "BTC", "amount": "1", "client_id": "gift"}
    for _ in range(2):
        (balance,) = (await alice.ask("POST", "/v1/faucet", asked)).json
        assert balance["total"] == "1"


async def test_a_transfer_says_both_wallets(alice: Trader) -> None:
    asked = {"from": "spot", "to": "margin", "asset": "USDT", "amount": "40000"}
    source, target = (await alice.ask("POST", "/v1/transfers", asked)).json
    assert (source["wallet"], source["total"]) == ("spot", "60000")
    assert (target["wallet"], target["total"]) == ("margin", "40000")


async def test_a_loan_charges_its_first_hour_and_is_repaid_interest_first(
    rig: Rig, alice: Trader
) -> None:
    fund = {"from": "spot", "to": "margin", "asset": "USDT", "amount": "40000"}
    assert (await alice.ask("POST", "/v1/transfers", fund)).status == 200
    loan = {"wallet": "margin", "asset": "USDT", "amount": "10000"}
    said = (await alice.ask("POST", "/v1/loans", loan)).json
    # 0.0010 % of 10,000 an hour is 0.1, due at the moment of borrowing.
    assert (said["principal"], said["interest"], said["borrowed"]) == ("10000", "0.1", "10000")
    assert said["hourly_rate"] == "0.00001"
    (listed,) = (await alice.ask("GET", "/v1/loans")).json
    assert (listed["principal"], listed["interest"]) == ("10000", "0.1")
    part = {"wallet": "margin", "asset": "USDT", "amount": "100.1"}
    paid = (await alice.ask("POST", "/v1/loans/repay", part)).json
    assert (paid["repaid_interest"], paid["repaid_principal"]) == ("0.1", "100")
    assert (paid["principal"], paid["interest"]) == ("9900", "0")
    rest = (await alice.ask("POST", "/v1/loans/repay", {"wallet": "margin", "asset": "USDT"})).json
    assert (rest["principal"], rest["repaid_principal"]) == ("0", "9900")
    assert (await alice.ask("GET", "/v1/loans")).json == []


async def test_a_repeated_loan_says_the_loan_as_it_stands(alice: Trader) -> None:
    fund = {"from": "spot", "to": "margin", "asset": "USDT", "amount": "40000"}
    await alice.ask("POST", "/v1/transfers", fund)
    loan = {"wallet": "margin", "asset": "USDT", "amount": "10000", "client_id": "once"}
    first = (await alice.ask("POST", "/v1/loans", loan)).json
    again = (await alice.ask("POST", "/v1/loans", loan)).json
    assert again["loan_id"] == first["loan_id"]
    assert (again["principal"], again["borrowed"]) == ("10000", "0")
    gone = {"wallet": "margin", "asset": "USDT", "client_id": "back"}
    await alice.ask("POST", "/v1/loans/repay", gone)
    assert (await alice.ask("POST", "/v1/loans/repay", gone)).json["principal"] == "0"


async def test_m5_what_is_said_to_be_the_most_is_lent_and_leaves_and_no_unit_more(
    alice: Trader,
) -> None:
    fund = {"from": "spot", "to": "margin", "asset": "USDT", "amount": "1000"}
    await alice.ask("POST", "/v1/transfers", fund)
    where = "/v1/loans/limits?wallet=margin&asset=USDT"
    said = (await alice.ask("GET", where)).json
    # At 3x the level must stay above 1.5: 1,000 / (1.5 - 1) = 2,000 (V21).
    assert (said["max_borrow"], said["max_transfer_out"]) == ("2000", "1000")
    assert said["hourly_rate"] == "0.00001"
    loan = {"wallet": "margin", "asset": "USDT", "amount": "2000.00000001"}
    assert (await alice.ask("POST", "/v1/loans", loan)).status == 400
    assert (await alice.ask("POST", "/v1/loans", loan | {"amount": "500"})).status == 200
    said = (await alice.ask("GET", where)).json
    # 1,500 stand against 500.005; twice that must stay: 1,500 - 1,000.01 = 499.99.
    assert said["max_transfer_out"] == "499.99"
    out = {"from": "margin", "to": "spot", "asset": "USDT", "amount": "499.99000001"}
    assert (await alice.ask("POST", "/v1/transfers", out)).status == 400
    assert (await alice.ask("POST", "/v1/transfers", out | {"amount": "499.99"})).status == 200
    unknown = await alice.ask("GET", "/v1/loans/limits?wallet=perp&asset=BTC")
    assert unknown.json["error"]["code"] == "ASSET_NOT_IN_WALLET"
