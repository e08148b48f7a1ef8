"""Accounts over the door: opened, reset, described, with keys, fills, postings and profit."""

from __future__ import annotations

import base64

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from exchange.gateway import auth
from tests.exchange.gateway.rig import Rig, Trader


async def test_an_account_is_opened_with_money_and_a_key(rig: Rig) -> None:
    answer = await rig.ask("POST", "/v1/accounts", {"label": "desk"})
    assert answer.status == 201
    said = answer.json
    assert said["wallets"] == {"spot": {"USDT": "100000"}, "perp": {"USDT": "100000"}}
    assert said["env"] == "paper"
    assert answer.headers["Cache-Control"] == "no-store"
    trader = Trader(rig, said["account_id"], said["api_key"], said["api_secret"])
    account = (await trader.ask("GET", "/v1/account")).json
    assert (account["label"], account["epoch"], account["env"]) == ("desk", 1, "paper")


async def test_a_reset_starts_over_and_keeps_key_and_history(alice: Trader, bob: Trader) -> None:
    await bob.order("BTC-USDT-PERP", "sell", "0.1", price="50000")
    await alice.order("BTC-USDT-PERP", "buy", "0.1")
    await alice.order("BTC-USDT", "buy", "0.01", price="49000")
    said = (await alice.ask("POST", "/v1/accounts/reset")).json
    assert said["epoch"] == 2
    assert said["positions"] == []
    totals = {(one["wallet"], one["asset"]): one["total"] for one in said["balances"]}
    assert totals == {("spot", "USDT"): "100000", ("perp", "USDT"): "100000"}
    assert (await alice.ask("GET", "/v1/orders")).json == []
    assert len((await alice.ask("GET", "/v1/fills")).json) == 1
    profit = (await alice.ask("GET", "/v1/pnl")).json
    assert (profit["deposits"], profit["fees"], profit["equity"]) == ("200000", "0", "200000")


async def test_a_key_is_made_listed_and_revoked(rig: Rig, alice: Trader) -> None:
    asked = {"permissions": ["read", "trade"], "label": "bot", "ips": ["127.0.0.1"]}
    made = (await alice.ask("POST", "/v1/keys", asked)).json
    assert (made["kind"], made["permissions"]) == ("hmac", ["read", "trade"])
    bot = Trader(rig, alice.account_id, made["api_key"], made["api_secret"])
    assert (await bot.ask("GET", "/v1/account")).status == 200
    listed = (await alice.ask("GET", "/v1/keys")).json
    assert [key["label"] for key in listed] == ["alice", "bot"]
    assert all(key["api_secret"] is None for key in listed)
    gone = await alice.ask("DELETE", f"/v1/keys?api_key={bot.key}")
    assert gone.json == {"api_key": bot.key, "revoked": True}
    assert (await bot.ask("GET", "/v1/account")).code == "UNKNOWN_KEY"
    assert len((await alice.ask("GET", "/v1/keys")).json) == 1


async def test_a_key_cannot_give_what_it_has_not(rig: Rig, alice: Trader) -> None:
    made = (await alice.ask("POST", "/v1/keys", {"permissions": ["transfer"]})).json
    mover = Trader(rig, alice.account_id, made["api_key"], made["api_secret"])
    assert (await mover.ask("POST", "/v1/keys", {"permissions": ["trade"]})).code == (
        "PERMISSION_DENIED"
    )
    assert (await mover.ask("POST", "/v1/keys", {"permissions": ["transfer"]})).status == 201


async def test_another_accounts_key_cannot_be_revoked(alice: Trader, bob: Trader) -> None:
    assert (await alice.ask("DELETE", f"/v1/keys?api_key={bob.key}")).code == "NOT_FOUND"
    assert (await bob.ask("GET", "/v1/account")).status == 200


async def test_an_ed25519_key_signs_in_base64(rig: Rig, alice: Trader) -> None:
    private = Ed25519PrivateKey.generate()
    pem = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    made = (await alice.ask("POST", "/v1/keys", {"public_key": pem.decode()})).json
    assert (made["kind"], made["api_secret"]) == ("ed25519", None)
    stamp = str(rig.doors.clock.wall_ms())
    signature = private.sign(auth.payload(stamp, "GET", "/v1/account"))
    headers = {
        auth.KEY_HEADER: made["api_key"],
        auth.TIMESTAMP_HEADER: stamp,
        auth.SIGNATURE_HEADER: base64.b64encode(signature).decode(),
    }
    answer = await rig.ask("GET", "/v1/account", headers=headers)
    assert answer.json["account_id"] == alice.account_id


async def test_there_are_only_so_many_keys(alice: Trader) -> None:
    codes = [
        answer.status if answer.status == 201 else answer.code
        for answer in [await alice.ask("POST", "/v1/keys", {"label": str(n)}) for n in range(30)]
    ]
    assert codes == [201] * 29 + ["KEY_LIMIT"]


async def test_postings_are_listed_newest_first_and_by_reason(alice: Trader) -> None:
    await alice.ask("POST", "/v1/faucet", {"wallet": "spot", "asset": "BTC", "amount": "1"})
    await alice.ask(
        "POST", "/v1/transfers", {"from": "spot", "to": "margin", "asset": "USDT", "amount": "5"}
    )
    moved = (await alice.ask("GET", "/v1/ledger?reason=transfer")).json
    assert {(one["wallet"], one["change"]) for one in moved} == {("spot", "-5"), ("margin", "5")}
    (newest,) = (await alice.ask("GET", "/v1/ledger?limit=1&reason=deposit")).json
    assert (newest["asset"], newest["change"]) == ("BTC", "1")


async def test_fills_of_a_symbol_go_back_by_trade_id(alice: Trader, bob: Trader) -> None:
    for _ in range(3):
        await bob.order("BTC-USDT-PERP", "sell", "0.1", price="50000")
        await alice.order("BTC-USDT-PERP", "buy", "0.1")
    all_of_them = (await alice.ask("GET", "/v1/fills?symbol=BTC-USDT-PERP")).json
    ids = [fill["trade_id"] for fill in all_of_them]
    assert ids == sorted(ids, reverse=True)
    target = f"/v1/fills?symbol=BTC-USDT-PERP&before_id={ids[0]}&limit=1"
    (earlier,) = (await alice.ask("GET", target)).json
    assert earlier["trade_id"] == ids[1]


async def test_profit_is_split_by_its_cause(rig: Rig, alice: Trader, bob: Trader) -> None:
    await bob.order("BTC-USDT-PERP", "sell", "0.1", price="50000")
    await alice.order("BTC-USDT-PERP", "buy", "0.1")
    await rig.set_index("BTC-USDT", "51000")
    mark = (await rig.ask("GET", "/v1/mark/BTC-USDT-PERP")).json["mark"]
    said = (await alice.ask("GET", "/v1/pnl")).json
    # The taker's fee is 2.5; the position gains 0.1 x (mark - 50,000).
    gain = (float(mark) - 50_000) / 10
    assert gain > 0
    assert said["fees"] == "-2.5"
    assert float(said["price"]) == gain
    assert said["deposits"] == "200000"
    assert float(said["equity"]) == 200_000 + gain - 2.5
    assert (said["funding"], said["interest"], said["liquidation"]) == ("0", "0", "0")
